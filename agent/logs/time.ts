import { parseJsonLine } from './level.ts'

/** A local time as numbers; `month` counts from 1. */
export interface LocalParts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly ms: number
}

/** Epoch milliseconds of a local time in the zone that a host is set to. */
export type LocalClock = (parts: LocalParts) => number

export const hostLocalClock: LocalClock = ({ year, month, day, hour, minute, second, ms }) =>
  new Date(year, month - 1, day, hour, minute, second, ms).getTime()

const CLOCK = String.raw`(\d{2}):(\d{2}):(\d{2})(?:[.,:](\d{1,9}))?`
const ZONE = String.raw`\s?(Z|[+-]\d{2}:?\d{2})?(?![\d:])`
const FRONT = String.raw`^[\s[("<]{0,4}`
const ISO = new RegExp(String.raw`${FRONT}(\d{4})[-/.](\d{2})[-/.](\d{2})[T\s]{1,2}${CLOCK}${ZONE}`)
const DAY_FIRST = new RegExp(String.raw`${FRONT}(\d{2})[./-](\d{2})[./-](\d{4}),?[T\s]{1,2}${CLOCK}${ZONE}`)
const JSON_NAMES = ['time', 'timestamp', 'ts', '@timestamp', '@t', 'asctime']

/**
 * The time that a line begins with: ISO with `T` or a blank, `.` or `,` before the fraction, with or without a zone;
 * `31.12.2024 23:59:59`; or the time of a JSON line. Without a zone it is the host's. Absent when it has none.
 */
export function timeOf(line: string, local: LocalClock): number | undefined {
  const head = line.slice(0, 48)
  const iso = ISO.exec(head)
  if (iso) return epochOf([iso[1], iso[2], iso[3], ...iso.slice(4)], local)
  const dayFirst = DAY_FIRST.exec(head)
  if (dayFirst) return epochOf([dayFirst[3], dayFirst[2], dayFirst[1], ...dayFirst.slice(4)], local)
  return head.startsWith('{') ? jsonTime(line, local) : undefined
}

function epochOf(groups: readonly (string | undefined)[], local: LocalClock): number | undefined {
  const [year, month, day, hour, minute, second] = groups.slice(0, 6).map(Number)
  const [fraction, zone] = groups.slice(6)
  if (year === undefined || month === undefined || day === undefined) return undefined
  if (hour === undefined || minute === undefined || second === undefined) return undefined
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined
  const ms = Math.floor(Number(`0.${fraction ?? 0}`) * 1000)
  if (!zone) return local({ year, month, day, hour, minute, second, ms })
  return Date.UTC(year, month - 1, day, hour, minute, second, ms) - zoneMs(zone)
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

function jsonTime(line: string, local: LocalClock): number | undefined {
  const fields = parseJsonLine(line)
  const value = JSON_NAMES.map(name => fields?.[name]).find(each => each !== undefined)
  if (typeof value === 'string') return timeOf(value, local)
  if (typeof value !== 'number') return undefined
  // Seconds, with a fraction or without, or milliseconds: told apart by their size until the year 5138.
  return Math.floor(value < 1e11 ? value * 1000 : value)
}

/** Loki refuses what is older than 7 days; a day of it is for the spool. */
const MAX_AGE_MS = 6 * 86_400_000

/** Loki refuses what is an hour behind the newest of its stream. */
const MAX_BEHIND_MS = 50 * 60_000

/** How far lines that were read at one moment may run ahead of it to stay apart. */
const SPREAD_MS = 10_000

/**
 * The time an entry gets: its own when Loki will take it, else when it was read. Not in the future, and always after
 * the entry before it in its file: lines of one second stay in their order, and equal ones are not taken for one. Only
 * a clock that was put back breaks the order.
 */
export function entryTime(ownMs: number | undefined, readAtMs: number, lastAtMs: number | null): number {
  const usable = ownMs !== undefined && ownMs <= readAtMs && ownMs > readAtMs - MAX_AGE_MS
  const atMs = usable ? ownMs : readAtMs
  return lastAtMs === null || lastAtMs > readAtMs + SPREAD_MS ? atMs : Math.max(atMs, lastAtMs + 1)
}

/** Whether an entry would come too late for its stream, whose newest entry has this time. */
export const isTooLate = (atMs: number, newestMs: number | undefined): boolean =>
  newestMs !== undefined && atMs < newestMs - MAX_BEHIND_MS
