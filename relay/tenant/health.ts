import { DEFAULT_INTERVAL_MS } from '../../shared/host-config.ts'
import { MAX_GRANT_MS } from '../../shared/wire.ts'
import type { HostMemory } from './host-memory.ts'
import type { HostState } from './rpc.ts'

/** Intervals after the granted post time until a host is late, and until it is down. */
const LATE_AFTER_INTERVALS = 1.5
const DOWN_AFTER_INTERVALS = 3
const DOWN_AFTER_AT_LEAST_MS = 90_000

export interface Deadlines {
  readonly lateAtMs: number
  readonly downAtMs: number
}

/** Absent while the host never posted: nothing is due before the first post. */
export function deadlinesOf(host: HostMemory): Deadlines | undefined {
  if (host.dueAtMs === null) return undefined
  const intervalMs = host.agent?.intervalMs ?? DEFAULT_INTERVAL_MS
  return {
    lateAtMs: host.dueAtMs + LATE_AFTER_INTERVALS * intervalMs,
    downAtMs: host.dueAtMs + Math.max(DOWN_AFTER_INTERVALS * intervalMs, DOWN_AFTER_AT_LEAST_MS),
  }
}

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
 * After the relay itself was away (or its clock jumped), silence proves nothing: every host that is not down already
 * gets one interval from now before its deadlines count again. What was granted further ahead than any post ever is
 * comes from a clock that jumped.
 */
export function grantGrace(host: HostMemory, now: number): HostMemory {
  if (host.dueAtMs === null || host.state === 'down' || host.state === 'disabled') return host
  const graceMs = now + (host.agent?.intervalMs ?? DEFAULT_INTERVAL_MS)
  const isSane = host.dueAtMs >= graceMs && host.dueAtMs <= now + MAX_GRANT_MS
  return isSane ? host : { ...host, dueAtMs: graceMs }
}
