import type { DirectoryRpc } from './directory/rpc.ts'
import type { Env } from './env.ts'
import type { TenantRpc } from './tenant/rpc.ts'

/** Hosts beyond one object's limit would go to further shards; tokens and names carry the number already. */
export const FIRST_SHARD = 0

/** The one directory object. */
export function directoryOf(env: Pick<Env, 'DIRECTORY'>): DirectoryRpc {
  return env.DIRECTORY.getByName('directory')
}

/** A tenant's object. Only ids of the directory or of a token whose MAC is good may come here. */
export function tenantObject(env: Pick<Env, 'TENANT'>, tenantId: string, shard: number = FIRST_SHARD): TenantRpc {
  return env.TENANT.getByName(`${tenantId}:${shard}`)
}
