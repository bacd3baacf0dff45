import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import { AGENT_RETRY_MAX_MS } from '../../shared/wire.ts'
import type { HostMemory } from './host-memory.ts'
import type { HostState } from './rpc.ts'

/** Intervals after the granted post time until a host is late, and until it is down. */
const LATE_AFTER_INTERVALS = 1.5
const DOWN_AFTER_INTERVALS = 3
const DOWN_AFTER_AT_LEAST_MS = 90_000
/** No post is granted further ahead than this (`nextPostInMs`): what is comes from a clock that jumped. */
const MAX_GRANT_INTERVALS = 1.5

export interface Deadlines {
  readonly lateAtMs: number
  readonly downAtMs: number
}

/** Absent while the host never posted: nothing is due before the first post. */
export function deadlinesOf(host: HostMemory): Deadlines | undefined {
  if (host.dueAtMs === null) return undefined
  return { lateAtMs: host.dueAtMs + lateAfterMs(host), downAtMs: host.dueAtMs + downAfterMs(host) }
}

const intervalOf = ({ agent }: HostMemory) => agent?.intervalMs ?? DEFAULT_INTERVAL_MS
const lateAfterMs = (host: HostMemory) => LATE_AFTER_INTERVALS * intervalOf(host)
const downAfterMs = (host: HostMemory) => Math.max(DOWN_AFTER_INTERVALS * intervalOf(host), DOWN_AFTER_AT_LEAST_MS)

/** The state that the deadlines give at `now`. */
export function stateAt(host: HostMemory, now: number): HostState {
  if (host.state === 'disabled') return 'disabled'
  const deadlines = deadlinesOf(host)
  if (!deadlines) return 'pending'
  if (now >= deadlines.downAtMs) return 'down'
  return now >= deadlines.lateAtMs ? 'late' : 'up'
}

/** The host with its state of `now`, and whether that is a change. */
export function evaluate(host: HostMemory, now: number): { host: HostMemory; changed: boolean } {
  const state = stateAt(host, now)
  if (state === host.state) return { host, changed: false }
  return { host: { ...host, state, stateSinceMs: now }, changed: true }
}

/** When `evaluate` could next give another answer; absent when only a post can change it. */
export function nextDeadline(host: HostMemory): number | undefined {
  const deadlines = deadlinesOf(host)
  if (!deadlines || host.state === 'disabled' || host.state === 'down') return undefined
  return host.state === 'late' ? deadlines.downAtMs : deadlines.lateAtMs
}

/**
 * After the relay itself was away (or its clock jumped), silence proves nothing: every host that was up gets an interval
 * from now before its deadlines count again, and as long as its agent may still wait after the tries that failed. One
 * that was late or down already stays so until it posts, wherever the clock is.
 */
export function grantGrace(host: HostMemory, now: number): HostMemory {
  if (host.dueAtMs === null || host.state === 'disabled') return host
  const dueAtMs = dueAfterGrace(host, host.dueAtMs, now)
  return dueAtMs === host.dueAtMs ? host : { ...host, dueAtMs }
}

function dueAfterGrace(host: HostMemory, dueAtMs: number, now: number): number {
  if (host.state === 'down') return Math.min(dueAtMs, now - downAfterMs(host))
  if (host.state === 'late') return now - lateAfterMs(host)
  const graceMs = now + Math.max(intervalOf(host), AGENT_RETRY_MAX_MS)
  const isSane = dueAtMs <= now + MAX_GRANT_INTERVALS * intervalOf(host)
  return isSane ? Math.max(dueAtMs, graceMs) : graceMs
}
