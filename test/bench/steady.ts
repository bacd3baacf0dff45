import type { Fixture } from './fixture.ts'
import { cpuMs, rssMb } from './process-stats.ts'
import type { LoadedTenant } from './relay-under-load.ts'
import { unionMs } from './stretch.ts'

/** The send window of the design: a tenant's hosts post at this rate, each once an interval. */
export const POSTS_PER_SECOND = 200
export const CLIENTS = 20

/** As near sinks do. With none a Pushgateway would get health and snapshot of a host one by one. */
const SINK_ANSWERS_AFTER_MS = 5

export interface Steady {
  readonly batches: number
  readonly cpuMsPerBatch: number
  readonly rssMb: number
  /** Requests to the sinks, by destination. */
  readonly requests: Readonly<Record<string, number>>
  /** Of one interval, in milliseconds: when a post or a request to a sink was in flight. */
  readonly awakeMs: number
}

/**
 * A tenant's hosts in their send window, one post each, `rounds` intervals without the pause between them; the relay's
 * own samples of all its hosts come once a round, as they would. CPU is workerd's until the last batch was delivered.
 */
export async function measureSteady(
  { relay, load, sinks }: Fixture,
  tenant: LoadedTenant,
  rounds: number,
): Promise<Steady> {
  const hosts = tenant.tokens.length
  const windowMs = (hosts / POSTS_PER_SECOND) * 1000
  const job = {
    to: 'relay',
    port: relay.port,
    tokens: tenant.tokens,
    clients: CLIENTS,
    perSecond: POSTS_PER_SECOND,
    intervalMs: windowMs,
  } as const
  await sinks(SINK_ANSWERS_AFTER_MS)
  await load({ ...job, requests: hosts })
  await relay.drained(tenant)
  await sinks(SINK_ANSWERS_AFTER_MS)
  const beforeMs = await cpuMs(relay.pid)
  const { busy, requests } = await load({ ...job, requests: hosts * rounds })
  await relay.drained(tenant)
  const afterMs = await cpuMs(relay.pid)
  const taken = await sinks()
  return {
    batches: requests,
    cpuMsPerBatch: (afterMs - beforeMs) / requests,
    rssMb: await rssMb(relay.pid),
    requests: taken.requests,
    awakeMs: unionMs([...busy, ...taken.busy]) / rounds,
  }
}
