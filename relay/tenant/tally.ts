import type { Batch, SinkDefinition } from '../sinks/sink.ts'
import type { DestinationMemory, LeftOut } from './destination-memory.ts'
import { carriedBy } from './parts.ts'

/**
 * What the settled parts of the work in hand amount to. The destination's counters get it together with the cursor, so
 * that whatever dies in between is done again and counted once.
 */
export interface Tally {
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

/** The memory with the tally in its counters. */
export function withTally(memory: DestinationMemory, tally: Tally): DestinationMemory {
  const leftOut = new Map(memory.leftOut)
  for (const [hostId, more] of tally.leftOut) addLeftOut(leftOut, hostId, more)
  return {
    ...memory,
    leftOut,
    deliveredSamples: memory.deliveredSamples + tally.deliveredSamples,
    unconfirmedBatches: memory.unconfirmedBatches + tally.unconfirmedBatches,
    partialRequests: memory.partialRequests + tally.partialRequests,
    droppedSamples: memory.droppedSamples + tally.droppedByAge + tally.droppedByOrder,
    droppedByAge: memory.droppedByAge + tally.droppedByAge,
    droppedByOrder: memory.droppedByOrder + tally.droppedByOrder,
    deadLetters: memory.deadLetters + tally.refused.length,
  }
}

function addLeftOut(all: Map<string, LeftOut>, hostId: string, more: LeftOut): void {
  const known = all.get(hostId)
  all.set(hostId, { age: (known?.age ?? 0) + more.age, order: (known?.order ?? 0) + more.order })
}
