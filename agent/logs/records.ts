import type { Place } from './lines.ts'
import { startsTechEvent } from './tech.ts'
import { timeOf } from './time.ts'

/** A line as text. */
export interface TextLine {
  readonly text: string
  readonly start: number
  readonly end: Place
  readonly cut: boolean
}

/** Lines that belong together: one entry. */
export interface LogRecord {
  readonly text: string
  readonly lines: number
  readonly start: number
  readonly end: Place
  /** A line in it was too long and lost its end. */
  readonly cut: boolean
}

export type RecordFormat = 'lines' | '1c-tech'

/** What is longer is two records, the second one without a beginning of its own. */
const MAX_LINES = 200
const MAX_CHARS = 64 * 1024

/** Joins lines to records. */
export interface Joiner {
  /** The record before this line, when the line begins another. */
  push(line: TextLine): LogRecord | undefined
  /** The record that no line has ended yet; absent when there is none. */
  rest(): LogRecord | undefined
}

interface Open {
  texts: string[]
  chars: number
  trace: boolean
  start: number
  end: Place
  cut: boolean
}

export function createJoiner(format: RecordFormat): Joiner {
  let open: Open | undefined

  const close = (): LogRecord | undefined =>
    open && {
      text: open.texts.join('\n').trimEnd(),
      lines: open.texts.length,
      start: open.start,
      end: open.end,
      cut: open.cut,
    }

  return {
    push(line) {
      if (!open && line.text.trim() === '') return undefined
      const full = open !== undefined && (open.texts.length >= MAX_LINES || open.chars + line.text.length > MAX_CHARS)
      const more = format === 'lines' ? continuesRecord(line.text, open) : !startsTechEvent(line.text)
      if (open && more && !full) {
        open.texts.push(line.text)
        open.chars += line.text.length + 1
        open.end = line.end
        open.cut ||= line.cut
        open.trace = traces(line.text, open.trace)
        return undefined
      }
      const done = close()
      const { text, start, end, cut } = line
      open = { texts: [text], chars: text.length, trace: traces(text, false), start, end, cut }
      return done
    },
    rest: close,
  }
}

const TRACE = /^\s*Traceback \(most recent call last\):/
const LINK =
  /^(?:Traceback \(most recent call last\):|Caused by[: ]|During handling of the above exception|The above exception was|--- |\.\.\. \d+ more|[})\]]+[,;]?\s*$)/
/** The last line of a Python traceback: `ValueError: …`, `КлассОшибки: …`. */
const RAISED = /^[\p{L}_][\p{L}\p{N}_.]*(?:: |$)/u

/** Blank and indented lines, and what belongs to a stack trace. A line with a time of its own never does. */
function continuesRecord(text: string, open: Open | undefined): boolean {
  const first = text.charCodeAt(0)
  if (text.trim() === '') return true
  if (first === 0x20 || first === 0x09) return timeOf(text.trimStart(), () => 0) === undefined
  if (LINK.test(text)) return true
  return (open?.trace ?? false) && RAISED.test(text)
}

/** Inside a Python traceback, until its last line. */
function traces(text: string, before: boolean): boolean {
  if (TRACE.test(text)) return true
  return before && (text.trim() === '' || /^\s/.test(text))
}
