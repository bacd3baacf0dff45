import type { DestinationMemory } from './destination-memory.ts'
import type { RowEntry } from './outbox.ts'
import type { Budget, DestinationView } from './rpc.ts'
import type { DestinationRecord } from './store.ts'
import type { DeliveryFacts } from './tick.ts'

/** What the relay says of a destination at a tick; `backlog` are the rows from its cursor on. */
export function factsOf(
  destination: string,
  memory: DestinationMemory,
  backlog: readonly RowEntry[],
  now: number,
): DeliveryFacts {
  const { unconfirmedBatches, partialRequests, deadLetters, deadLettersDropped, leftOut } = memory
  return {
    destination,
    lagMs: backlog[0] ? Math.max(now - backlog[0].atMs, 0) : 0,
    backlogBatches: totals(backlog).batches,
    dropped: droppedOf(memory),
    unconfirmedBatches,
    partialRequests,
    deadLetters,
    deadLettersDropped,
    leftOut,
  }
}

/** What an operator is shown of it. */
export function viewOf(
  { id, name, sink, settings, sealed, version }: DestinationRecord,
  memory: DestinationMemory,
  backlog: readonly RowEntry[],
  budget: Budget,
): DestinationView {
  const { batches, bytes } = totals(backlog)
  return {
    id,
    name,
    sink,
    settings,
    secrets: Object.keys(sealed),
    budget,
    version,
    state: memory.state,
    reason: memory.reason,
    sinceMs: memory.sinceMs,
    nextAttemptAtMs: memory.nextAttemptAtMs,
    deliveredBatches: memory.deliveredBatches,
    deliveredSamples: memory.deliveredSamples,
    unconfirmedBatches: memory.unconfirmedBatches,
    partialRequests: memory.partialRequests,
    droppedSamples: memory.droppedSamples,
    dropped: droppedOf(memory),
    deadLetters: memory.deadLetters,
    deadLettersDropped: memory.deadLettersDropped,
    lastDeliveredAtMs: memory.lastDeliveredAtMs,
    backlogBatches: batches,
    backlogBytes: bytes,
    oldestAtMs: backlog[0]?.atMs ?? null,
  }
}

export function totals(rows: readonly RowEntry[]): { batches: number; samples: number; bytes: number } {
  const sums = { batches: 0, samples: 0, bytes: 0 }
  for (const { batches, samples, bytes } of rows) {
    sums.batches += batches
    sums.samples += samples
    sums.bytes += bytes
  }
  return sums
}

function droppedOf({ droppedSamples, droppedByAge, droppedByOrder }: DestinationMemory): DestinationView['dropped'] {
  return { budget: droppedSamples - droppedByAge - droppedByOrder, age: droppedByAge, order: droppedByOrder }
}
