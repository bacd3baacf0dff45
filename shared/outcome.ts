/**
 * What became of one request, on both hops (agent → relay, relay → sink). Closed on purpose: whoever delivers
 * switches over it exhaustively, and a new backend's status codes have to be mapped into it.
 *
 * `reason` is plain text for a person, already redacted, at most {@link MAX_REASON_CHARS} characters.
 */
export type Outcome =
  /** The other side said that it holds what was sent. */
  | { readonly kind: 'delivered' }
  /** Some of it was taken and the rest refused for good (Loki's 400, Influx): advance, count, never send again. */
  | { readonly kind: 'partial'; readonly reason: string }
  /**
   * Not now. `afterMs` is the other side's own wish (Retry-After). `mayBeStored` is true when the other side may hold
   * the data already: no complete answer came back, or one (a 5xx) that does not rule it out. `status` is absent when
   * there was no answer at all.
   */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly status?: number
      readonly afterMs?: number
      readonly mayBeStored: boolean
    }
  /**
   * Never, as it is. `alreadyHeld` is true when the words of the refusal are also what the other side says of samples
   * that it holds already ("out of order", "duplicate"); `tooOld` when it refuses some of them for their age.
   */
  | { readonly kind: 'rejected'; readonly reason: string; readonly alreadyHeld: boolean; readonly tooOld?: true }
  /** The way is shut whatever is sent (credentials, address, a tenant's limit): stop, keep the data, tell a person. */
  | { readonly kind: 'suspended'; readonly reason: string }

/** Longest `reason` kept, in UTF-16 units. A Mimir error with its explanation is about 400. */
export const MAX_REASON_CHARS = 600

/**
 * Milliseconds that a `Retry-After` header asks for: delta seconds or an HTTP date (RFC 9110, 10.2.3).
 * Absent when there is none or it cannot be read; never negative; capped by `maxMs`.
 */
export function parseRetryAfter(header: string | null | undefined, now: number, maxMs: number): number | undefined {
  const text = header?.trim()
  if (!text) return undefined
  const wanted = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(wanted) ? undefined : Math.min(Math.max(wanted, 0), maxMs)
}

/**
 * Milliseconds to wait before attempt number `attempt` (1 = after the first failure): exponential, "equal jitter"
 * (half fixed, half random), so that a fleet that failed together does not come back together and never at once.
 * `random` is in [0, 1).
 */
export function backOffMs(attempt: number, random: number, baseMs: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}
