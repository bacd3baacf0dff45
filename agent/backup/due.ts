import { type BackupConfig, WEEKDAYS } from '../../shared/host-config.ts'

type Rules = Pick<BackupConfig, 'maxAgeMs' | 'schedule'>

/** One night's window, epoch milliseconds. */
interface Occurrence {
  readonly fromMs: number
  readonly dueMs: number
}

/** A window comes at least once a week, and ends on the day after it began. */
const DAYS_AHEAD = 9

/** When the next good backup is due after one that was completed at `goodAtMs`; absent without a rule. */
export function nextDue(rules: Rules, goodAtMs: number): number | undefined {
  const dues = occurrences(rules, goodAtMs, DAYS_AHEAD)
    .filter(({ fromMs }) => fromMs > goodAtMs)
    .map(({ dueMs }) => dueMs)
  if (rules.maxAgeMs !== undefined) dues.push(goodAtMs + rules.maxAgeMs)
  return dues.length > 0 ? Math.min(...dues) : undefined
}

/** The latest deadline that passed without a good backup since `goodAtMs`: one for each missed night. Absent: none. */
export function lastMissed(rules: Rules, goodAtMs: number, nowMs: number): number | undefined {
  const sinceMs = Math.max(goodAtMs, nowMs - DAYS_AHEAD * 86_400_000)
  const dues = occurrences(rules, sinceMs, DAYS_AHEAD + 2)
    .filter(({ fromMs }) => fromMs > goodAtMs)
    .map(({ dueMs }) => dueMs)
  if (rules.maxAgeMs !== undefined) dues.push(goodAtMs + rules.maxAgeMs)
  const missed = dues.filter(dueMs => dueMs <= nowMs)
  return missed.length > 0 ? Math.max(...missed) : undefined
}

/**
 * Whether a run that a script spoke of, and whose deadline passed at `missedMs`, is to be waited for no longer: the script
 * may have been killed. One begun after the deadline has a day.
 */
export const isForgotten = (sinceMs: number, missedMs: number, nowMs: number): boolean =>
  nowMs >= missedMs && (sinceMs < missedMs || nowMs - sinceMs >= 86_400_000)

/** The windows that begin from the day before `aroundMs` on. A day is the calendar's: one in a year has 23 hours. */
function occurrences({ schedule = [] }: Rules, aroundMs: number, days: number): Occurrence[] {
  const day = new Date(aroundMs)
  const at = (offset: number, time: string, next: boolean) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number)
    const date = day.getDate() + offset + (next ? 1 : 0)
    return new Date(day.getFullYear(), day.getMonth(), date, hours, minutes)
  }
  const found: Occurrence[] = []
  for (let offset = -1; offset <= days; offset++)
    for (const { from, due, days: only } of schedule) {
      const begins = at(offset, from, false)
      const weekday = WEEKDAYS[at(offset, '12:00', false).getDay()]
      if (only && weekday && !only.includes(weekday)) continue
      found.push({ fromMs: begins.getTime(), dueMs: at(offset, due, due <= from).getTime() })
    }
  return found
}

/** A moment as the people of the host have it: `2026-11-25 06:00`. */
export function localTime(ms: number): string {
  const at = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}
