import { remember } from '../../relay/tenant/host-memory.ts'
import type { DestinationInput } from '../../relay/tenant/rpc.ts'
import type { Snapshot } from '../../shared/wire.ts'
import { batchItem, hostRecord, idOf, TENANT, wireBatch } from '../relay/tenant/fixtures.ts'
import { nodeStorage } from '../relay/tenant/node-storage.ts'
import { openTenant } from '../relay/tenant/tenant-setup.ts'

/**
 * A tenant object in simulated time that delivers over real HTTP: hours of posts to a real store in seconds. Times are
 * epoch milliseconds of the simulated clock.
 */
export async function simulateTenant(startMs: number, hosts: readonly string[]) {
  const clock = { now: startMs }
  const tenant = openTenant(nodeStorage(), clock)
  tenant.state.init(TENANT)
  for (const id of hosts) {
    const record = hostRecord({ id, name: `БУХ-${id}` })
    tenant.state.hosts.set(id, record)
    tenant.state.store.putHost(record)
  }
  let posts = 0

  /** Lets pumps work until each is idle or has to wait. */
  async function beat(): Promise<void> {
    tenant.pulse.beat(clock.now)
    while (tenant.deliveries.isPumping) await tenant.pumpEnded()
  }

  return {
    ...tenant,
    async add(input: DestinationInput): Promise<void> {
      const added = await tenant.desk.add(input, `d${tenant.deliveries.records.length + 1}`, clock.now)
      if (!added.ok) throw new Error(added.detail)
    },
    /** A batch of a host, accepted now. */
    post(hostId: string, snapshots: readonly Snapshot[], entryTimes: readonly number[] = []): void {
      posts += 1
      const entries = entryTimes.map(atMs => ({ atMs, level: 'info' as const, message: `Запись ${atMs}` }))
      const wire = wireBatch({ id: idOf(posts), seq: posts, sentAtMs: clock.now, snapshots: [...snapshots], entries })
      const item = batchItem({ hostId, receivedAtMs: clock.now, dueAtMs: clock.now + 60_000 }, wire)
      const memory = remember(tenant.state.memory(hostId, clock.now), item)
      tenant.state.outbox.append([item])
      tenant.state.memories.set(hostId, memory)
    },
    beat,
    /** One minute after the other, `minute` called at each with the time; then a beat. */
    async pass(minutes: number, minute: (atMs: number) => void = () => {}): Promise<void> {
      for (let count = 0; count < minutes; count += 1) {
        clock.now += 60_000
        minute(clock.now)
        await beat()
      }
    },
  }
}

export type SimulatedTenant = Awaited<ReturnType<typeof simulateTenant>>
