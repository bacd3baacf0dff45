import { parseRetryAfter } from '../shared/outcome.ts'
import { asProblem, type Problem } from '../shared/problem.ts'
import { type Ack, ackSchema } from '../shared/wire.ts'
import { decodeJson } from './json.ts'
import type { NetworkCause } from './network/cause.ts'

/** What came back from a post, complete; `body` is its text. */
export interface Reply {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: string
}

/** No complete answer: no route, a timeout, a connection cut short. */
export interface NoReply {
  readonly status: null
  readonly reason: string
  /** The same, told apart, with the system's code or the proxy's status. */
  readonly cause?: NetworkCause
  readonly detail?: string
}

/** What one attempt means for the batch. `reason` is for a person. */
export type Verdict =
  | { readonly kind: 'delivered'; readonly ack: Ack }
  /** The relay will never take this batch as it is: put it aside, go on. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The relay does not let this host in: keep everything, try now and then, tell a person. */
  | { readonly kind: 'suspended'; readonly reason: string; readonly afterMs: number }
  /** The host was removed at the relay: erase the token and the spool, stop for good. */
  | { readonly kind: 'removed'; readonly reason: string }
  /** Not now. `stranger`: it was not the relay that answered, so another route may reach it. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number; readonly stranger: boolean }

const SUSPENDED_MS = 5 * 60_000

/** Longest wish of a relay or a proxy that is honoured. */
const MAX_RETRY_AFTER_MS = 10 * 60_000

/** The answer table. Only an answer that repeats the batch's id is a yes; only a problem of ours is a no. */
export function judge(reply: Reply | NoReply, batchId: string, nowMs: number): Verdict {
  if (reply.status === null) return { kind: 'retry', reason: reply.reason, stranger: true }
  const body = decodeJson(reply.body)
  if (reply.status === 200) {
    const ack = ackSchema.safeParse(body)
    if (ack.success && ack.data.id === batchId) return { kind: 'delivered', ack: ack.data }
  }
  const problem = asProblem(body)
  const reason = problem ? `${problem.code}: ${problem.detail}`.slice(0, 300) : strangerReason(reply.status)
  return (problem && judgeProblem(reply.status, problem, reason)) ?? retry(reply, reason, problem === undefined, nowMs)
}

function judgeProblem(status: number, problem: Problem, reason: string): Verdict | undefined {
  if ([400, 413, 415, 422].includes(status)) return { kind: 'rejected', reason }
  if (status === 401 || status === 403) return { kind: 'suspended', reason, afterMs: SUSPENDED_MS }
  if (status === 410 && problem.code === 'host_removed') return { kind: 'removed', reason }
  return undefined
}

function retry(reply: Reply, reason: string, stranger: boolean, nowMs: number): Verdict {
  const afterMs = parseRetryAfter(reply.retryAfter, nowMs, MAX_RETRY_AFTER_MS)
  return { kind: 'retry', reason, stranger, ...(afterMs !== undefined && { afterMs }) }
}

/** Who answered when it was not the relay, for the log. In Russian they are in `doctor/text/`. */
export const STRANGER_REASONS = {
  redirect: 'the answer leads elsewhere, which a relay never does: check its URL',
  stranger: 'it is not the relay that answers: a proxy, a sign-in page or a wrong URL',
} as const

const strangerReason = (status: number): string =>
  `${STRANGER_REASONS[status >= 300 && status < 400 ? 'redirect' : 'stranger']} (HTTP ${status})`
