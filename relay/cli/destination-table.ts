import type { DestinationView } from '../tenant/rpc.ts'
import { table } from './table.ts'
import { ago, count, duration } from './wording.ts'

export function destinationTable(destinations: readonly DestinationView[], now: number): string {
  const rows = destinations.map(view => [
    view.name,
    view.sink,
    view.sinceMs === null ? view.state : `${view.state} for ${duration(now - view.sinceMs)}`,
    count(view.deliveredSamples),
    ago(view.lastDeliveredAtMs, now),
    count(view.backlogBatches),
    view.oldestAtMs === null ? null : duration(now - view.oldestAtMs),
    count(view.droppedSamples),
    deadLetters(view),
    [view.reason, view.nextAttemptAtMs === null ? null : `next attempt in ${duration(view.nextAttemptAtMs - now)}`]
      .filter(Boolean)
      .join('; '),
  ])
  return table(['NAME', 'SINK', 'STATE', 'SAMPLES', 'DELIVERED', 'WAITING', 'LAG', 'DROPPED', 'DEAD', 'REASON'], rows)
}

/** Of a relay of before `deadLettersDropped` nothing is known of it. */
function deadLetters({ deadLetters, deadLettersDropped = 0 }: DestinationView): string {
  return count(deadLetters) + (deadLettersDropped > 0 ? ` (${count(deadLettersDropped)} dropped)` : '')
}
