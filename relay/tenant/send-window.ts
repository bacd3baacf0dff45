/**
 * When a host posts next. All hosts of a tenant share a send window of its interval, so that their posts share commits
 * and flushes, which is the relay's largest cost lever; inside the window each has a place of its own.
 */
export interface Window {
  readonly tenantId: string
  readonly intervalMs: number
  /** Hosts of the tenant: the window is as wide as they need at 500 posts a second. */
  readonly hosts: number
}

export interface Schedule extends Window {
  readonly hostId: string
}

/** Of a window for each host; 1,000 of them take 2 s. */
const MS_PER_HOST = 2

/** Milliseconds from `now` to the next post, at least half an interval, less than one and a half. */
export function nextPostInMs(schedule: Schedule, now: number): number {
  const { intervalMs } = schedule
  const placeMs = (hash(schedule.tenantId) % intervalMs) + (hash(schedule.hostId) % windowWidthMs(schedule))
  return Math.round(intervalMs / 2 + untilPhase(placeMs, intervalMs, now + intervalMs / 2))
}

export function windowWidthMs({ hosts, intervalMs }: Window): number {
  return Math.min(Math.max(hosts, 1) * MS_PER_HOST, intervalMs / 2)
}

/** When the window is over the next time, `from` included. */
export function windowEndMs(window: Window, from: number): number {
  const endMs = (hash(window.tenantId) % window.intervalMs) + windowWidthMs(window)
  return from + untilPhase(endMs, window.intervalMs, from)
}

/** Milliseconds from `from` to the next moment that is `phaseMs` into an interval. */
function untilPhase(phaseMs: number, intervalMs: number, from: number): number {
  return (((phaseMs - from) % intervalMs) + intervalMs) % intervalMs
}

/** FNV-1a, 32 bits: spreads ids, nothing more. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0
  return state
}
