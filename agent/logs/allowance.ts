/** What may still be used of something that grows back with time. */
export interface Allowance {
  readonly left: number
  readonly atMs: number
}

/** Grows by `perMinute`, up to `most`; begins full. Times are of the monotonic clock. */
export function refill(before: Allowance | undefined, perMinute: number, most: number, nowMs: number): Allowance {
  if (!before) return { left: most, atMs: nowMs }
  const grown = (Math.max(nowMs - before.atMs, 0) * perMinute) / 60_000
  return { left: Math.min(before.left + grown, most), atMs: nowMs }
}

export const spend = (allowance: Allowance, amount: number): Allowance => ({
  ...allowance,
  left: Math.max(allowance.left - amount, 0),
})

/** An allowance is held for as long as a snapshot's interval: what came meanwhile is read at once. */
export const mostFor = (perMinute: number, intervalMs: number): number =>
  Math.ceil(perMinute * Math.min(Math.max(intervalMs / 60_000, 1), 10))
