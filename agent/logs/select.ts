import { DEFAULT_LOG_LINES_PER_MINUTE, type LogFileConfig } from '../../shared/host-config.ts'
import { type Entry, LIMITS } from '../../shared/wire.ts'
import { isBelow, type Level, levelOf } from './level.ts'
import type { Place } from './lines.ts'
import type { LogRecord, RecordFormat } from './records.ts'
import { maskSecrets } from './secrets.ts'
import { parseTechEvent, type TechEvent } from './tech.ts'
import { cutText, fieldText } from './text.ts'
import { entryTime, type LocalClock, timeOf } from './time.ts'

/** An entry of a file, and where the file is read on once it is in the spool. */
export interface Step {
  readonly entry: Entry
  readonly place: Place
  /** Entries before it that were left out. */
  readonly leftOut: number
  /** It tells of what was left out, and is no line of the file. */
  readonly notice: boolean
}

export interface SelectOptions {
  readonly config: LogFileConfig
  readonly format: RecordFormat
  readonly path: string
  readonly readAtMs: number
  readonly local: LocalClock
  /** Time of the file's newest entry so far. */
  readonly lastAtMs: number | null
  /** Entries that the file may ship now. */
  readonly allowed: number
}

/** Makes entries of a file's records, and leaves out what it has no right to. */
export interface Selection {
  consider(record: LogRecord): void
  readonly steps: readonly Step[]
  /** Entries left out after the last step. */
  readonly leftOut: number
  /** Size of the entries' text. */
  readonly chars: number
}

/** This share of the allowance is kept for warnings and errors: chatter never pushes them out. */
const SERIOUS_SHARE = 0.2

export function createSelection(options: SelectOptions): Selection {
  const { config, format, path, readAtMs, local, allowed } = options
  const minimum = config.level ?? 'debug'
  const kept = Math.ceil(perMinute(config) * SERIOUS_SHARE)
  const steps: Step[] = []
  let { lastAtMs } = options
  let leftOut = 0
  let chars = 0

  const mayTake = (level: Level): boolean =>
    steps.length < (isBelow(level, 'warn') ? Math.max(allowed - kept, Math.min(allowed, 1)) : allowed)

  return {
    consider(record) {
      const event = format === '1c-tech' ? parseTechEvent(record.text, path, local) : undefined
      const level = event?.level ?? levelOf(record.text) ?? 'info'
      if (record.text === '' || isBelow(level, minimum)) return
      if (!mayTake(level)) {
        leftOut++
        return
      }
      const atMs = entryTime(event ? event.atMs : timeOf(record.text, local), readAtMs, lastAtMs)
      const entry = toEntry(record, path, { atMs, level, event })
      steps.push({ entry, place: record.end, leftOut, notice: false })
      lastAtMs = atMs
      leftOut = 0
      chars += entry.message.length
    },
    steps,
    get leftOut() {
      return leftOut
    },
    get chars() {
      return chars
    },
  }
}

export const perMinute = (config: LogFileConfig): number => config.maxLinesPerMinute ?? DEFAULT_LOG_LINES_PER_MINUTE

function toEntry(
  record: LogRecord,
  path: string,
  { atMs, level, event }: { atMs: number; level: Level; event: TechEvent | undefined },
): Entry {
  const fields: Record<string, string> = { file: fieldText(path) }
  for (const [name, value] of Object.entries(event?.fields ?? {})) fields[name] = fieldText(maskSecrets(value))
  return { atMs, level, message: cutText(maskSecrets(record.text), LIMITS.entryBytes, record.cut), fields }
}

/** What a file's reader must know was not shipped. */
export function leftOutStep(what: { lines: number; bytes: number }, options: SelectOptions, place: Place): Step {
  const { path, readAtMs, config } = options
  const parts = [
    ...(what.lines > 0 ? [`${what.lines} entries were left out: over ${perMinute(config)} a minute`] : []),
    ...(what.bytes > 0 ? [`${what.bytes} bytes were passed over: the file grew faster than it is read`] : []),
  ]
  const counts = { lines_left_out: String(what.lines), bytes_passed_over: String(what.bytes) }
  const entry: Entry = {
    atMs: readAtMs,
    level: 'warn',
    message: parts.join('; '),
    fields: { file: fieldText(path), ...counts },
  }
  return { entry, place, leftOut: 0, notice: true }
}
