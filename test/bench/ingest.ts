import type { Fixture } from './fixture.ts'
import type { LoadedTenant } from './relay-under-load.ts'

export interface Ingest {
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** More than any relay takes in that time. */
const MOST_PER_SECOND = 4_000
/** workerd compiles meanwhile; at least one post of each host, so that every tenant's object is awake. */
const WARM_UP_POSTS = 1_000

/**
 * Posts as fast as the relay answers, each client with one in flight, while it delivers them; answers when all of it
 * has arrived. A warm-up goes before.
 */
export async function measureIngest(
  { relay, load }: Fixture,
  tenants: readonly LoadedTenant[],
  { clients, seconds }: { readonly clients: number; readonly seconds: number },
): Promise<Ingest> {
  const tokens = interleave(tenants.map(tenant => tenant.tokens))
  const job = { to: 'relay', port: relay.port, tokens, clients } as const
  await load({ ...job, requests: Math.max(WARM_UP_POSTS, tokens.length) })
  const result = await load({ ...job, requests: MOST_PER_SECOND * seconds, seconds })
  await relay.drained(...tenants)
  return { rps: result.requests / result.seconds, p50Ms: result.p50Ms, p99Ms: result.p99Ms }
}

/** One host of each tenant in turn. */
export function interleave<Item>(lists: readonly (readonly Item[])[]): Item[] {
  const longest = Math.max(...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, at) => lists.flatMap(list => list.slice(at, at + 1))).flat()
}
