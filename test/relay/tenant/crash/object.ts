import { createDataKey, openDataKey } from '../../../../relay/secrets/envelope.ts'
import { generateKeyring, readKeyring } from '../../../../relay/secrets/keyring.ts'
import { CommitQueue } from '../../../../relay/tenant/commit-queue.ts'
import { Deliveries } from '../../../../relay/tenant/deliveries.ts'
import { DestinationDesk } from '../../../../relay/tenant/destination-desk.ts'
import { newHost } from '../../../../relay/tenant/host-memory.ts'
import { postsDue } from '../../../../relay/tenant/hosts.ts'
import { Pulse } from '../../../../relay/tenant/pulse.ts'
import type { BatchItem } from '../../../../relay/tenant/row.ts'
import { TenantState } from '../../../../relay/tenant/state.ts'
import { hostRecord, TENANT } from '../fixtures.ts'
import { type CrashingStorage, PowerCut } from './storage.ts'

const keyring = readKeyring(generateKeyring())
const dataKey = createDataKey(keyring, TENANT.id).then(wrapped => openDataKey(keyring, TENANT.id, wrapped))

/** The parts of a tenant object as its shell puts them together; ends with its storage. */
export function openObject(crashing: CrashingStorage, clock: { readonly now: number }) {
  const { storage } = crashing
  let died = () => {}
  const death = new Promise<'dead'>(resolve => {
    died = () => resolve('dead')
  })
  const state = new TenantState(storage, clock.now, error => {
    died()
    throw error
  })
  if (!state.identity) state.init(TENANT)
  const deliveries = new Deliveries(state, {
    dataKey: () => dataKey,
    pumpEnded: () => alive(() => pulse.pumpEnded(clock.now)),
    now: () => clock.now,
  })
  const pulse = new Pulse(storage, state, deliveries, { lingerMs: 2_000, armedAtMs: null })
  const desk = new DestinationDesk(state, deliveries, { dataKey: () => dataKey, allowPrivate: true })
  const write = async (items: readonly BatchItem[]) => {
    await state.append(items, clock.now).catch(onlyPowerCut)
    // An object whose write failed is gone: nobody is answered.
    if (crashing.isDead) await new Promise(() => {})
    pulse.flushSoon(clock.now)
  }
  const queue = new CommitQueue(write, {
    due: () => postsDue(state.memories.values(), clock.now),
    after: (_, happen) => void setImmediate(happen),
  })

  /** What a power cut ends ends quietly; anything else is a failure. */
  function alive<T>(act: () => T): T | undefined {
    try {
      return act()
    } catch (error) {
      return onlyPowerCut(error)
    }
  }

  function onlyPowerCut(error: unknown): undefined {
    if (!(error instanceof PowerCut)) throw error
    died()
  }

  return {
    state,
    deliveries,
    alive,
    beat: () => alive(() => pulse.beat(clock.now)),
    wake: () => alive(() => pulse.wake(clock.now)),
    isKnown: ({ hostId, id }: BatchItem) => state.memory(hostId, clock.now).ids.includes(id),
    /** Whether it was acknowledged. */
    async post(item: BatchItem): Promise<boolean> {
      return (await Promise.race([queue.commit(item), death])) !== 'dead'
    },
    /** An operator's change and its answer, which waits for the disk. */
    async change(act: () => unknown): Promise<void> {
      try {
        await act()
        crashing.outputGate()
      } catch (error) {
        onlyPowerCut(error)
      }
    },
    desk,
    enrol(id: string, name: string): void {
      const record = hostRecord({ id, name })
      state.hosts.set(id, record)
      state.store.putHost(record)
      state.memories.set(id, newHost(clock.now))
      state.checkpoint()
    },
    removeHost(id: string): void {
      const record = { ...(state.hosts.get(id) ?? hostRecord({ id })), removedAtMs: clock.now }
      state.memories.delete(id)
      state.hosts.set(id, record)
      state.checkpoint(() => {
        state.store.putHost(record)
        state.outbox.append([{ kind: 'removal', atMs: clock.now, hostId: id }])
      })
      pulse.flushNow(clock.now)
    },
  }
}
