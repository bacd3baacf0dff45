/** How long before a granted post its snapshot is taken: enough to collect and to reach the disk. */
const LEAD_MS = 250

/** Two snapshots are never nearer to each other than this. */
const MIN_GAP_MS = 1_000

export interface Phase {
  /** When the newest snapshot was taken. */
  readonly lastMs: number
  readonly intervalMs: number
  /** When the relay wants the next post; absent before its first answer and while a backlog drains. */
  readonly postAtMs?: number | undefined
  readonly nowMs: number
}

/**
 * When to take the next snapshot, all times on the monotonic clock: every interval, in such a phase that one is ready
 * at the moment the relay granted for the next post. Ticks that are already past are skipped, not made up for.
 */
export function nextCollectAt({ lastMs, intervalMs, postAtMs, nowMs }: Phase): number {
  const aimMs =
    postAtMs === undefined || postAtMs < nowMs ? lastMs + intervalMs : postAtMs - Math.min(LEAD_MS, intervalMs / 4)
  // A post several intervals away: the tick of that phase that comes next, half an interval away at least.
  const back = Math.max(Math.floor((aimMs - lastMs) / intervalMs - 0.5), 0)
  const tickMs = aimMs - back * intervalMs
  const earliestMs = Math.max(lastMs + Math.min(MIN_GAP_MS, intervalMs / 2), nowMs)
  return tickMs + Math.max(Math.ceil((earliestMs - tickMs) / intervalMs), 0) * intervalMs
}

/** A clock that goes back by more was wrong before: holding on to its time would stamp everything in the future. */
const MAX_HELD_STEP_MS = 60_000

/**
 * A snapshot's time: the wall clock's, but never one that a snapshot of this run had already, nor an earlier one. Only
 * a clock that was put right by more than a minute takes the times back with it.
 */
export function nextSnapshotTime(nowMs: number, lastAtMs: number | undefined): number {
  if (lastAtMs === undefined || lastAtMs - nowMs > MAX_HELD_STEP_MS) return nowMs
  return Math.max(nowMs, lastAtMs + 1)
}
