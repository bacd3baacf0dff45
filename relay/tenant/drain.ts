/** How soon a host with more in its spool posts again: four small batches a second and host. */
const PACE_MS = 250

/** Turns of a tenant's hosts are so far apart: ten batches a second together. */
const TURN_MS = 100

/** And so far while a destination has enough to do: less than one takes that needs a second for a request. */
const SLOW_TURN_MS = 500

/** Samples that may wait for a destination before it has enough to do: eight requests. */
const ENOUGH_SAMPLES = 16_000

/** No turn is further away, so that a destination which recovers is not waited for. */
const MAX_WAIT_MS = 120_000

/**
 * When a host whose spool holds more may post again, ms from `now`, and when the turn after that is. A backlog takes
 * what room there is beside live data: one turn after the other for all of a tenant's hosts, few while much waits for
 * the slowest of the working destinations (`waitingSamples`; how many wait says sooner than their age that more come in
 * than go out). `freeAtMs` is the first turn that was not given out yet.
 */
export function nextDrainInMs(
  { waitingSamples, freeAtMs }: { readonly waitingSamples: number; readonly freeAtMs: number },
  now: number,
): { readonly inMs: number; readonly freeAtMs: number } {
  const turnMs = waitingSamples > ENOUGH_SAMPLES ? SLOW_TURN_MS : TURN_MS
  const atMs = Math.min(Math.max(now + PACE_MS, freeAtMs), now + MAX_WAIT_MS)
  return { inMs: Math.round(atMs - now), freeAtMs: atMs + turnMs }
}
