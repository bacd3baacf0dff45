/** What the next alarm could be for; each in epoch milliseconds, absent when not wanted. */
export interface Wishes {
  /** Data waits for this flush. */
  readonly flushAtMs: number | undefined
  /** The relay's own samples are due. */
  readonly tickAtMs: number | undefined
  /** Some host's health may change. */
  readonly deadlineAtMs: number | undefined
  /** A destination in back-off is tried again. */
  readonly retryAtMs: number | undefined
  /** Pumps are running: if the object dies now, this wakes it. */
  readonly leaseAtMs: number | undefined
}

/** Arming costs a billed row: an alarm that is at most this much too early stays. */
const TOO_EARLY_MS = 1_000

/** When the alarm must ring next, or undefined when what is armed will do. */
export function nextAlarm(wishes: Wishes, armedAtMs: number | null, now: number): number | undefined {
  const wanted = Object.values(wishes).filter(at => at !== undefined)
  if (wanted.length === 0) return undefined
  const at = Math.max(Math.min(...wanted), now)
  const stillToRing = armedAtMs !== null && armedAtMs > now
  if (stillToRing && armedAtMs <= at && at - armedAtMs <= TOO_EARLY_MS) return undefined
  return armedAtMs === at ? undefined : at
}
