import type { DirectoryRpc } from './directory/rpc.ts'
import type { TenantRpc } from './tenant/rpc.ts'

/** Bindings of the Worker, the same under `wrangler deploy` and `workerd serve`. */
export interface Env {
  readonly TENANT: ObjectNamespace<TenantRpc>
  readonly DIRECTORY: ObjectNamespace<DirectoryRpc>
  /** Secret: the keyring as `onec-relay init` writes it (`relay/secrets/keyring.ts`). */
  readonly RELAY_KEYS: string
  /** Secret: SHA-256 (hex) of the first operator's token. */
  readonly RELAY_OPERATOR_HASH: string
  /** `allow` on one's own machine: destinations on private addresses and over plain http are taken. */
  readonly PRIVATE_DESTINATIONS?: string
  /** Comma-separated public URLs of this relay, given to agents at enrolment. */
  readonly RELAY_ROUTES?: string
  /** Milliseconds between the first stored batch and the flush to destinations; 2000 when absent. */
  readonly FLUSH_LINGER_MS?: string
}

/** The part of a namespace that is used: an object by name, as its RPC interface. */
export interface ObjectNamespace<Rpc> {
  getByName(name: string): Rpc
}
