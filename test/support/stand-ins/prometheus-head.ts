/**
 * The rules by which a Prometheus 2.42 head takes a sample, copied from tsdb/head_append.go (`memSeries.appendable`,
 * `headAppender.Append`, `Commit`) and checked against the real server in `test/real/conformance.test.ts`. Pure.
 */

/** Half of the head's chunk range of 2 h: in-order samples may be this much older than the head's newest. */
const IN_ORDER_REACH_MS = 3_600_000

export type AppendError = 'out of bounds' | 'out of order sample' | 'duplicate sample for timestamp' | 'too old sample'

/** The status of `write_handler.go`: it knows three errors as the client's fault, the rest is a 500. */
export const APPEND_STATUS: Readonly<Record<AppendError, number>> = {
  'out of bounds': 400,
  'out of order sample': 400,
  'duplicate sample for timestamp': 400,
  'too old sample': 500,
}

/** A series' newest in-order sample; absent for a series without one. */
export interface Newest {
  readonly atMs: number
  readonly bits: bigint
}

/** The head as an appender sees it; fixed when a request begins, whatever the request adds. */
export interface HeadView {
  /** Newest sample of the whole head. */
  readonly maxMs: number
  readonly outOfOrderWindowMs: number
}

/** In-order, out of order within the window, or why not. */
export function appendable(
  atMs: number,
  bits: bigint,
  newest: Newest | undefined,
  head: HeadView,
): 'in-order' | 'out-of-order' | AppendError {
  const minValidMs = head.maxMs - IN_ORDER_REACH_MS
  const windowMs = head.outOfOrderWindowMs
  if (atMs >= minValidMs) {
    if (!newest || atMs > newest.atMs) return 'in-order'
    // Only against the newest: the same sample again is let pass, NaNs are compared by their bits.
    if (atMs === newest.atMs) return bits === newest.bits ? 'in-order' : 'duplicate sample for timestamp'
  }
  if (windowMs > 0) return atMs >= head.maxMs - windowMs ? 'out-of-order' : 'too old sample'
  return atMs < minValidMs ? 'out of bounds' : 'out of order sample'
}
