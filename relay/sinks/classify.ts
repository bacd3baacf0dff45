import { MAX_REASON_CHARS, type Outcome } from '../../shared/outcome.ts'
import type { Reply, SinkDefinition } from './sink.ts'

/** Asking again for the same is no use: what is wrong is the address, the credentials or the account. */
const SHUT: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 407, 410])

/** Not now, though the number says "the client's fault": a proxy that lost patience, a rate limit. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 429])

/** A rate limit (529 is Mimir's): the request was turned away whole. */
const TURNED_AWAY: ReadonlySet<number> = new Set([429, 529])

/** Half of a character that a cut went through. */
const LONE_HIGH_SURROGATE = /[\uD800-\uDBFF]$/

/**
 * What became of a request that was answered: the sink's own reading first, then the general table. `afterMs` is the
 * answer's Retry-After, for a `retry`.
 */
export function outcomeOf(sink: Pick<SinkDefinition, 'classify'>, reply: Reply, afterMs?: number): Outcome {
  const outcome = sink.classify?.(reply) ?? classifyStatus(reply)
  return outcome.kind === 'retry' && afterMs !== undefined ? { ...outcome, afterMs } : outcome
}

/** The table for a backend whose status codes mean what RFC 9110 says. */
export function classifyStatus(reply: Reply): Outcome {
  const { status } = reply
  if (status >= 200 && status < 300) return isWebPage(reply) ? suspended(reply) : { kind: 'delivered' }
  if (NOT_NOW.has(status) || status >= 500) return retry(reply)
  if (SHUT.has(status) || status < 400) return suspended(reply)
  return rejected(reply)
}

/** A 5xx says nothing of what was stored before it: Mimir's "may have been partially ingested". */
function retry(reply: Reply): Outcome {
  const mayBeStored = !TURNED_AWAY.has(reply.status)
  return { kind: 'retry', reason: reasonOf(reply), status: reply.status, mayBeStored }
}

export function rejected(reply: Reply, alreadyHeld = false): Outcome {
  return { kind: 'rejected', reason: reasonOf(reply), alreadyHeld }
}

/** Refused for the age of some sample: no later attempt finds it younger. */
export function tooOld(reply: Reply): Outcome {
  return { kind: 'rejected', reason: reasonOf(reply), alreadyHeld: false, tooOld: true }
}

export function partial(reply: Reply): Outcome {
  return { kind: 'partial', reason: reasonOf(reply) }
}

export function suspended(reply: Reply): Outcome {
  return { kind: 'suspended', reason: reasonOf(reply) }
}

/** The status and the server's own words on one line, at most {@link MAX_REASON_CHARS}. */
function reasonOf(reply: Reply): string {
  const text = isWebPage(reply) ? `a web page, not an API: ${reply.body.replace(/<[^<>]*>/g, ' ')}` : reply.body
  const words = text.replace(/[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  const reason = words === '' ? `HTTP ${reply.status}` : `HTTP ${reply.status}: ${words}`
  return reason.length > MAX_REASON_CHARS
    ? `${reason.slice(0, MAX_REASON_CHARS - 1).replace(LONE_HIGH_SURROGATE, '')}…`
    : reason
}

/** A 200 with a page is a login form or a captive portal: nobody stored anything. */
function isWebPage(reply: Reply): boolean {
  return /^\s*<(!doctype html|html)/i.test(reply.body)
}
