import type { Level } from './level.ts'
import type { LocalClock } from './time.ts'

/**
 * The technological log of 1C:Enterprise 8.3: one folder a process (`rphost_1234`), one file an hour (`yymmddhh.log`,
 * UTF-8 with a byte order mark), events `mm:ss.uuuuuu-duration,EVENT,depth,key=value,…`. A value with a comma, a quote
 * or a line end is in single or double quotes, which are doubled inside.
 * Source: its.1c.ru, "Руководство администратора", logcfg.xml; the format of real files.
 */
const START = /^(\d{2}):(\d{2})\.(\d{1,6})-(\d+),(\w+),/
const FILE_NAME = /(?:^|[\\/])(\d{2})(\d{2})(\d{2})(\d{2})\.log$/i

/** A value that holds such a text itself would be cut there: with quotes counted instead, one torn event would eat the rest. */
export const startsTechEvent = (line: string): boolean => START.test(line)

/** The hour that a file's name says, as year, month, day, hour; absent when it is no such name. */
export function techHour(path: string): readonly [number, number, number, number] | undefined {
  const match = FILE_NAME.exec(path)
  if (!match) return undefined
  const [year, month, day, hour] = match.slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return undefined
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 ? [2000 + year, month, day, hour] : undefined
}

export interface TechEvent {
  readonly level: Level
  /** Absent when the file's name does not say the hour. */
  readonly atMs: number | undefined
  readonly fields: Readonly<Record<string, string>>
}

const EVENT_LEVELS: Readonly<Record<string, Level>> = {
  ...{ EXCP: 'error', EXCPCNTX: 'error' },
  ...{ TDEADLOCK: 'warn', TTIMEOUT: 'warn', QERR: 'warn', ATTN: 'warn' },
  ...{ ADMIN: 'info', CONN: 'info', PROC: 'info', SESN: 'info', SRVC: 'info', CLSTR: 'info', SYSTEM: 'info' },
}
/** Since 8.3.25 an event may say its level itself. */
const OWN_LEVELS: Readonly<Record<string, Level>> = {
  ...{ TRACE: 'debug', DEBUG: 'debug', INFO: 'info', WARNING: 'warn', WARN: 'warn', ERROR: 'error' },
}

/** What is worth a field of its own, in this order; the text of the entry has everything. */
const KEYS = [
  ...['process', 'p:processName', 't:clientID', 't:applicationName', 't:computerName', 't:connectID', 'SessionID'],
  ...['Usr', 'DBMS', 'DataBase', 'Exception', 'Descr', 'Rows', 'Context', 'OSException'],
]

/** Absent when the text is no event, as the torn beginning of a file. */
export function parseTechEvent(text: string, path: string, local: LocalClock): TechEvent | undefined {
  const match = START.exec(text)
  if (!match) return undefined
  const [start, minute = '', second = '', fraction = '', duration = '', event = ''] = match
  const values = readProperties(text, start.length)
  const level = OWN_LEVELS[values.get('level') ?? ''] ?? EVENT_LEVELS[event] ?? 'debug'
  const hour = techHour(path)
  const atMs =
    hour &&
    local({
      ...{ year: hour[0], month: hour[1], day: hour[2], hour: hour[3] },
      ...{ minute: Number(minute), second: Number(second), ms: Math.floor(Number(`0.${fraction}`) * 1000) },
    })
  const fields: Record<string, string> = { event, duration_us: duration }
  for (const key of KEYS) {
    const value = values.get(key)
    if (value) fields[key.replace(/\W/g, '_')] = value
  }
  return { level, atMs, fields }
}

/** Real events have some twenty. */
const MAX_PROPERTIES = 64

/** `key=value` pairs from `at` on; what comes before the first, the depth of the event, is passed over. */
function readProperties(text: string, at: number): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const pair = /(?:^|,)\s*([\p{L}\p{N}_:]+)=('(?:[^']|'')*'|"(?:[^"]|"")*"|[^,\r\n]*)/guy
  // The first pair follows the comma after the depth.
  pair.lastIndex = Math.max(text.indexOf(',', at), at)
  for (let count = 0; count < MAX_PROPERTIES; count++) {
    const match = pair.exec(text)
    if (!match) break
    const [, key = '', value = ''] = match
    if (!values.has(key)) values.set(key, unquote(value))
  }
  return values
}

function unquote(value: string): string {
  const quote = value.charAt(0)
  if (quote !== "'" && quote !== '"') return value
  return value.slice(1, -1).replaceAll(quote + quote, quote)
}
