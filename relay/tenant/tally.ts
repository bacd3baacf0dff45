import type { Batch, SinkDefinition } from '../sinks/sink.ts'
import type { DestinationMemory, LeftOut } from './destination-memory.ts'
import { carriedBy } from './parts.ts'

/**
 * What the settled parts of the work in hand amount to. The destination's memory gets it together with the cursor, so
 * that whatever dies in between is done again and counted once. The newest times wait as well: with them alone on disk
 * a part that was refused would pass for one that is held.
 */
export interface Tally {
  /** Batches that the destination holds now, and those that say that a host was removed. */
  readonly taken: Batch[]
  deliveredSamples: number
  unconfirmedBatches: number
  partialRequests: number
  droppedByAge: number
  droppedByOrder: number
  readonly leftOut: Map<string, LeftOut>
  /** Parts that the destination will never take. */
  readonly refused: { readonly batches: readonly Batch[]; readonly samples: number; readonly reason: string }[]
}

export function newTally(): Tally {
  return {
    taken: [],
    deliveredSamples: 0,
    unconfirmedBatches: 0,
    partialRequests: 0,
    droppedByAge: 0,
    droppedByOrder: 0,
    leftOut: new Map(),
    refused: [],
  }
}

/** Counts batches that are not sent: too old for the store, or not newer than what it has of the host. */
export function leaveOut(
  tally: Tally,
  batches: readonly Batch[],
  why: keyof LeftOut,
  sink: Pick<SinkDefinition, 'carries'>,
): void {
  for (const batch of batches) {
    const count = carriedBy([batch], sink)
    if (count === 0) continue
    if (why === 'age') tally.droppedByAge += count
    else tally.droppedByOrder += count
    if (batch.source === 'agent') addLeftOut(tally.leftOut, batch.host.id, { age: 0, order: 0, [why]: count })
  }
}

/** The memory with the tally in its counters; how many letters the refused make, whoever writes them knows. */
export function withTally(memory: DestinationMemory, tally: Tally): DestinationMemory {
  const leftOut = new Map(memory.leftOut)
  for (const [hostId, more] of tally.leftOut) addLeftOut(leftOut, hostId, more)
  const newestMs = newestAfter(memory.newestMs, tally.taken)
  // A removed host needs no order any more, and what was left out of it is nobody's.
  for (const { host, removed } of tally.taken) if (removed) for (const map of [leftOut, newestMs]) map.delete(host.id)
  return {
    ...memory,
    newestMs,
    leftOut,
    deliveredSamples: memory.deliveredSamples + tally.deliveredSamples,
    unconfirmedBatches: memory.unconfirmedBatches + tally.unconfirmedBatches,
    partialRequests: memory.partialRequests + tally.partialRequests,
    droppedSamples: memory.droppedSamples + tally.droppedByAge + tally.droppedByOrder,
    droppedByAge: memory.droppedByAge + tally.droppedByAge,
    droppedByOrder: memory.droppedByOrder + tally.droppedByOrder,
  }
}

/** Per host id, time of the newest snapshot once these batches are held too. */
export function newestAfter(before: ReadonlyMap<string, number>, taken: readonly Batch[]): Map<string, number> {
  const newestMs = new Map(before)
  for (const { source, host, snapshots } of taken) {
    if (source === 'relay') continue
    const atMs = snapshots.reduce((newest, snapshot) => Math.max(newest, snapshot.atMs), newestMs.get(host.id) ?? 0)
    if (atMs > 0) newestMs.set(host.id, atMs)
  }
  return newestMs
}

function addLeftOut(all: Map<string, LeftOut>, hostId: string, more: LeftOut): void {
  const known = all.get(hostId)
  all.set(hostId, { age: (known?.age ?? 0) + more.age, order: (known?.order ?? 0) + more.order })
}
