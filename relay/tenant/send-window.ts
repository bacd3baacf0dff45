/**
 * When a host posts next. All hosts of a tenant share a send window of its interval, so that their posts share commits
 * and flushes, which is the relay's largest cost lever; inside the window each has a place of its own.
 */
export interface Schedule {
  readonly tenantId: string
  readonly hostId: string
  readonly intervalMs: number
  /** Hosts of the tenant: the window is as wide as they need at 200 posts a second. */
  readonly hosts: number
}

/** Milliseconds from `now` to the next post, at least half an interval, less than one and a half. */
export function nextPostInMs(schedule: Schedule, now: number): number {
  const { intervalMs } = schedule
  const widthMs = Math.min(Math.max(2_000, schedule.hosts * 5), intervalMs / 2)
  const placeMs = (hash(schedule.tenantId) % intervalMs) + (hash(schedule.hostId) % widthMs)
  const earliest = now + intervalMs / 2
  const untilPlace = (((placeMs - earliest) % intervalMs) + intervalMs) % intervalMs
  return Math.round(intervalMs / 2 + untilPlace)
}

/** FNV-1a, 32 bits: spreads ids, nothing more. */
function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0
  return state
}
