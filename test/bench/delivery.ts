import type { Fixture } from './fixture.ts'
import { interleave } from './ingest.ts'
import type { LoadedTenant } from './relay-under-load.ts'
import { wallMs } from './stretch.ts'

/**
 * Batches a second, each to all of the tenants' destinations: they are suspended while the batches come in, and what is
 * timed goes from the first word to resume to the last request that a sink answered.
 */
export async function measureDelivery(
  { relay, load, sinks }: Fixture,
  tenants: readonly LoadedTenant[],
  batches: number,
): Promise<number> {
  await everyDestination(relay.admin.suspendDestination)
  const tokens = interleave(tenants.map(tenant => tenant.tokens))
  const loaded = await load({ to: 'relay', port: relay.port, tokens, clients: 10, requests: batches })
  await sinks()
  const fromMs = wallMs()
  await everyDestination(relay.admin.resumeDestination)
  await relay.drained(...tenants)
  const lastMs = Math.max(...(await sinks()).busy.map(([, toMs]) => toMs))
  return (loaded.requests / (lastMs - fromMs)) * 1000

  async function everyDestination(act: (tenant: string, destination: string) => Promise<unknown>): Promise<void> {
    await Promise.all(
      tenants.map(async ({ id }) => {
        const { destinations } = await relay.admin.destinations(id)
        await Promise.all(destinations.map(({ name }) => act(id, name)))
      }),
    )
  }
}
