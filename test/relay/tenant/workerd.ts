import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { mintHostToken, newSecret } from '../../../relay/auth/token.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import type { DestinationView } from '../../../relay/tenant/rpc.ts'
import type { WireBatch } from '../../../shared/wire.ts'
import { TENANT } from './fixtures.ts'

/** The whole relay; beside its own routes the object's methods as `{ method, args }`, and `sql` to spoil its storage. */
const WORKER = `
import relay, { DirectoryObject, TenantObject as Real } from './relay/index.ts'
import { errorResponse } from './relay/problem.ts'
export { DirectoryObject }
export class TenantObject extends Real {
  sql(query) {
    const rows = this.ctx.storage.sql.exec(query).toArray()
    return rows.map(row => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, v instanceof ArrayBuffer ? v.byteLength : v])))
  }
}
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== '/rpc') return relay.fetch(request, env, context)
    const { tenant, method, args } = await request.json()
    try {
      return Response.json((await env.TENANT.getByName(tenant + ':0')[method](...args)) ?? null)
    } catch (error) {
      return errorResponse(error)
    }
  },
}`

export async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: WORKER, resolveDir: new URL('../../..', import.meta.url).pathname, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2024',
    external: ['cloudflare:*', 'node:*'],
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

/** One relay on `directory`; starting again on the same one is a restart. */
export async function startRelay(script: string, directory: string, keys: string) {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
      durableObjects: {
        TENANT: { className: 'TenantObject', useSQLite: true },
        DIRECTORY: { className: 'DirectoryObject', useSQLite: true },
      },
      bindings: {
        RELAY_KEYS: keys,
        RELAY_OPERATOR_HASH: 'a'.repeat(64),
        PRIVATE_DESTINATIONS: 'allow',
        FLUSH_LINGER_MS: '50',
      },
      resourcePersistencePath: directory,
      cf: false,
      handleStructuredLogs: () => {},
    }),
  )
  await miniflare.ready
  const rpcOf = async <T>(tenant: string, method: string, ...args: unknown[]): Promise<T> => {
    const reply = await miniflare.dispatchFetch('http://relay/rpc', {
      method: 'POST',
      body: JSON.stringify({ tenant, method, args }),
    })
    return (await reply.json()) as T
  }
  const rpc = <T>(method: string, ...args: unknown[]) => rpcOf<T>(TENANT.id, method, ...args)
  const fetch = (path: string, init: { method: string; headers: Record<string, string>; body?: Uint8Array }) =>
    miniflare.dispatchFetch(`http://relay${path}`, init)
  return {
    rpc,
    rpcOf,
    fetch,
    async post(token: string, batch: WireBatch | Uint8Array) {
      const body = batch instanceof Uint8Array ? batch : gzipSync(JSON.stringify(batch))
      const reply = await miniflare.dispatchFetch('http://relay/v1/batches', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
        },
        body,
      })
      const answer = (await reply.json()) as { status?: string | number; code?: string; id?: string }
      return { status: reply.status, said: answer.code ?? answer.status, id: answer.id }
    },
    destination: async (name: string) =>
      (await rpc<DestinationView[]>('destinations')).find(destination => destination.name === name),
    stop: () => miniflare.dispose(),
  }
}

export type Relay = Awaited<ReturnType<typeof startRelay>>

export const newKeys = () => generateKeyring()

/** A host of the tenant and its token; `machine` is what the machine calls itself. */
export async function enrolHost(relay: Relay, keys: string, name: string, machine = name) {
  const { secret, secretHash } = await newSecret()
  const input = { machineId: `machine ${machine}`, hostname: machine, name, os: 'Windows Server 2022', secretHash }
  const enrolled = await relay.rpc<{ ok: boolean; value: { hostId: string } }>('enrol', input)
  const { hostId } = enrolled.value
  return { hostId, token: await mintHostToken(readKeyring(keys), { tenantId: TENANT.id, shard: 0, hostId, secret }) }
}

export async function addDestination(relay: Relay, name: string, sink: string, url: string): Promise<void> {
  const added = await relay.rpc<{ ok: boolean; detail?: string }>('addDestination', { name, sink, settings: { url } })
  if (!added.ok) throw new Error(added.detail)
}
