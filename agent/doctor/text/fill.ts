import { isLogProblem } from '../../logs/problem.ts'
import { CAUSE_REASONS } from '../../network/cause.ts'
import { STRANGER_REASONS } from '../../verdict.ts'
import type { Params } from '../finding.ts'
import type { Words } from './catalogue.ts'

/** How one reader wants numbers and times. `timeZone` is an IANA name; this machine's own when absent. */
export interface Reader {
  readonly words: Words
  readonly timeZone?: string | undefined
}

/** A text with its params in place. Numbers are written by the end of their name: `…AtMs`, `…Ms`, `…Bytes`. */
export function fill(text: string, params: Params, reader: Reader): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (typeof value !== 'number') return name === 'reason' ? reasonIn(value ?? '?', reader.words) : (value ?? '?')
    if (name.endsWith('AtMs')) return formatTime(value, reader)
    if (name.endsWith('Ms')) return formatDuration(value, reader.words)
    return name.endsWith('Bytes') ? formatBytes(value, reader.words) : String(value)
  })
}

const REASONS = { ...CAUSE_REASONS, ...STRANGER_REASONS }

/**
 * Reasons come from the agent that runs, in English. A backup's (`truncated: the file ends at …`) and a connection's are
 * known, as a log file's (`log.unreadable: EACCES`), and said in the reader's language; any other stays.
 */
function reasonIn(reason: string, { reasons, causes, logProblems }: Words): string {
  const [, problem = '', detail = ''] = /^log\.([a-z_]+): (.*)$/s.exec(reason) ?? []
  if (isLogProblem(problem)) return logProblems[problem].replace('{detail}', detail)
  const [, code = '', rest] = /^([a-z_]+): (.*)$/s.exec(reason) ?? []
  if (Object.hasOwn(reasons, code)) return `${reasons[code]}${rest && ` (${rest})`}`
  for (const cause of Object.keys(causes) as (keyof typeof causes)[])
    if (reason.startsWith(REASONS[cause])) return causes[cause] + reason.slice(REASONS[cause].length)
  return reason
}

/** Local time without a zone, the same in both languages: `2026-11-25 19:05`. */
export function formatTime(atMs: number, { timeZone }: Reader): string {
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone })
  return format.format(atMs)
}

/** At most two units, the larger first: `45 ms`, `1 min 5 s`, `3 d 4 h`. */
export function formatDuration(ms: number, { units, decimal }: Words): string {
  const whole = Math.round(Math.abs(ms))
  if (whole < 1) return `< 1 ${units.ms}`
  if (whole < 1_000) return `${whole} ${units.ms}`
  if (whole < 10_000) return `${withDecimal(whole / 1_000, decimal)} ${units.s}`
  const seconds = Math.round(whole / 1_000)
  const parts = [
    [Math.floor(seconds / 86_400), units.d],
    [Math.floor(seconds / 3_600) % 24, units.h],
    [Math.floor(seconds / 60) % 60, units.min],
    [seconds % 60, units.s],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** In powers of 1024, as Windows shows them. */
export function formatBytes(bytes: number, { units, decimal }: Words): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.bytes.length - 1)
  const value = bytes / 1024 ** power
  const text = power === 0 || value >= 100 ? String(Math.round(value)) : withDecimal(value, decimal)
  return `${text} ${units.bytes[power]}`
}

const withDecimal = (value: number, decimal: string): string =>
  value.toFixed(1).replace(/\.0$/, '').replace('.', decimal)
