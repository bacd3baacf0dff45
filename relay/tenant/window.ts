import type { Batch } from '../sinks/sink.ts'
import type { DestinationMemory } from './destination-memory.ts'

/**
 * Samples older than this are not sent to a destination any more, epoch milliseconds. A store's window is behind the
 * newest sample that it has: the newest that it took from us, so that after an outage it gets everything in order; `now`
 * once it has refused something for its age, since then others write to it too, until it has taken what is newer than
 * that refusal.
 */
export function horizonMs(memory: DestinationMemory, windowMs: number | undefined, now: number): number {
  if (windowMs === undefined) return Number.NEGATIVE_INFINITY
  const { newestTakenMs, saidTooOldAtMs, tooOldBelowMs } = memory
  const taken = newestTakenMs ?? Number.NEGATIVE_INFINITY
  const newestMs = saidTooOldAtMs !== null && saidTooOldAtMs > taken ? now : Math.min(taken, now)
  return Math.max(newestMs - windowMs, (tooOldBelowMs ?? Number.NEGATIVE_INFINITY) + 1)
}

/** Batches without what is older than the horizon, and what that was. */
export function withinWindow(
  batches: readonly Batch[],
  horizon: number,
): { readonly kept: readonly Batch[]; readonly old: readonly Batch[] } {
  const isOld = ({ atMs }: { readonly atMs: number }) => atMs < horizon
  if (!batches.some(({ snapshots, entries }) => snapshots.some(isOld) || entries.some(isOld)))
    return { kept: batches, old: [] }
  const kept: Batch[] = []
  const old: Batch[] = []
  for (const { ended, removed, ...batch } of batches) {
    const part = (wanted: boolean) => ({
      ...batch,
      snapshots: batch.snapshots.filter(one => isOld(one) === wanted),
      entries: batch.entries.filter(one => isOld(one) === wanted),
    })
    kept.push({ ...part(false), ...(removed && { removed }), ...(ended && { ended }) })
    old.push(part(true))
  }
  return { kept, old }
}
