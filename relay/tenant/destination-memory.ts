import { backOffMs, type Outcome } from '../../shared/outcome.ts'
import type { DestinationView } from './rpc.ts'

/** Samples of a host that were not sent: too old for the store, or not newer than what it has of the host. */
export interface LeftOut {
  readonly age: number
  readonly order: number
}

/** What changes with every delivery of a destination. Lives in memory and in the checkpoint. */
export interface DestinationMemory {
  /** Number of the oldest outbox row that is not wholly delivered. */
  readonly cursor: number
  readonly state: DestinationView['state']
  readonly reason: string | null
  readonly sinceMs: number | null
  readonly nextAttemptAtMs: number | null
  /** Failures in a row. */
  readonly failures: number
  /** Rows below this may be held by the destination already: the relay came back with an older cursor. */
  readonly uncertainBelow: number
  /** Per host id, time of its newest snapshot that was delivered: an older one would be out of order. */
  readonly newestMs: ReadonlyMap<string, number>
  /** Time of the newest sample that it took, whosever: what its window is measured from. Null before the first. */
  readonly newestTakenMs: number | null
  /** When it last refused something for its age. */
  readonly saidTooOldAtMs: number | null
  /** Samples up to this time were refused for their age by themselves: so is every older one. */
  readonly tooOldBelowMs: number | null
  readonly deliveredBatches: number
  readonly deliveredSamples: number
  readonly unconfirmedBatches: number
  /** Requests of which it took only a part. */
  readonly partialRequests: number
  /** All that is lost to it: by its budget, by age, and by order. */
  readonly droppedSamples: number
  readonly droppedByAge: number
  readonly droppedByOrder: number
  /** Per host id, what was left out of its snapshots. */
  readonly leftOut: ReadonlyMap<string, LeftOut>
  /** Ever written. */
  readonly deadLetters: number
  /** Of these, how many went because there were too many. */
  readonly deadLettersDropped: number
  readonly lastDeliveredAtMs: number | null
}

/** A destination takes what is accepted from now on: `head` is the number of the next outbox row. */
export function newDestination(head: number): DestinationMemory {
  return {
    cursor: head,
    state: 'active',
    reason: null,
    sinceMs: null,
    nextAttemptAtMs: null,
    failures: 0,
    uncertainBelow: head,
    newestMs: new Map(),
    newestTakenMs: null,
    saidTooOldAtMs: null,
    tooOldBelowMs: null,
    deliveredBatches: 0,
    deliveredSamples: 0,
    unconfirmedBatches: 0,
    partialRequests: 0,
    droppedSamples: 0,
    droppedByAge: 0,
    droppedByOrder: 0,
    leftOut: new Map(),
    deadLetters: 0,
    deadLettersDropped: 0,
    lastDeliveredAtMs: null,
  }
}

const RETRY_BASE_MS = 1_000
const RETRY_MAX_MS = 5 * 60_000
/** So much longer than a Retry-After asks for at the most: those whom one server sent away do not come back as one. */
const RETRY_AFTER_JITTER = 0.1
/** A suspended destination tries one request this often, in case what shut it was mended on the other side. */
const SUSPENDED_RETRY_MS = 15 * 60_000

/** The destination after a request that was not taken; `random` in [0, 1) spreads the next attempt. */
export function afterFailure(
  memory: DestinationMemory,
  outcome: Extract<Outcome, { kind: 'retry' | 'suspended' }>,
  now: number,
  random: number,
): DestinationMemory {
  const failures = memory.failures + 1
  const waitMs =
    outcome.kind === 'suspended'
      ? SUSPENDED_RETRY_MS
      : Math.max(
          Math.round((outcome.afterMs ?? 0) * (1 + RETRY_AFTER_JITTER * random)),
          backOffMs(failures, random, RETRY_BASE_MS, RETRY_MAX_MS),
        )
  const state = outcome.kind === 'suspended' ? 'suspended' : 'backing-off'
  return {
    ...memory,
    state,
    reason: outcome.reason,
    sinceMs: memory.state === state ? memory.sinceMs : now,
    nextAttemptAtMs: now + waitMs,
    failures,
  }
}

/** The destination after a request that the other side answered for good: whatever kept it back is over. */
export function afterAnswer(memory: DestinationMemory): DestinationMemory {
  if (memory.state === 'active' && memory.failures === 0) return memory
  return { ...memory, state: 'active', reason: null, sinceMs: null, nextAttemptAtMs: null, failures: 0 }
}

/** An operator's stop: nothing is tried until it is resumed, the data stays within the budget. */
export function suspend(memory: DestinationMemory, now: number): DestinationMemory {
  return { ...memory, state: 'suspended', reason: 'suspended by an operator', sinceMs: now, nextAttemptAtMs: null }
}

/** Whether a pump may send for it now. */
export function mayTry(memory: DestinationMemory, now: number): boolean {
  if (memory.state === 'active') return true
  if (memory.nextAttemptAtMs === null) return false
  // No wait is ever longer: the clock was set back meanwhile.
  return memory.nextAttemptAtMs <= now || memory.nextAttemptAtMs > now + SUSPENDED_RETRY_MS
}
