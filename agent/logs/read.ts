import type { LogDisk, OpenLog } from './disk.ts'
import { decode, type Encoding, guessEncoding, unitBytes } from './encoding.ts'
import { checkHead, HEAD_BYTES } from './head.ts'
import { createLineCutter, type Place, type RawLine } from './lines.ts'
import type { Followed } from './plan.ts'
import type { FilePosition } from './position.ts'
import { createJoiner, type RecordFormat } from './records.ts'
import { createSelection, leftOutStep, type SelectOptions, type Step } from './select.ts'
import { startsTechEvent, techHour } from './tech.ts'

/** What all files of one look may use together; reading a file takes from it. */
export interface ReadBudget {
  bytes: number
  chars: number
  /** Time is over: end with what there is. */
  readonly expired: () => boolean
}

export interface ReadInput extends Pick<SelectOptions, 'config' | 'readAtMs' | 'local' | 'allowed'> {
  readonly followed: Followed
  readonly budget: ReadBudget
  /** The file ended at the same place when it was read before, a while ago: what it ends with will not be continued. */
  readonly settled: boolean
  /** What was left out earlier and no entry has told of yet. */
  readonly untold: Untold
}

interface Untold {
  readonly lines: number
  readonly bytes: number
}

export interface FileReading {
  /** As it is before the first step, checked against the file. */
  readonly position: FilePosition
  readonly steps: readonly Step[]
  /** Where to read on when every step was taken. */
  readonly end: Place
  /** Entries left out after the last step. */
  readonly leftOut: number
  /** Bytes given up before the first step, because the file is too far ahead. */
  readonly passedBytes: number
  readonly sizeBytes: number
  readonly encoding: Encoding
}

const CHUNK_BYTES = 64 * 1024
/** A file that has so much unread is not read to its end any more. */
const MAX_BEHIND_BYTES = 64 * 1024 * 1024
/** Of such a file the last part is. */
const TAIL_BYTES = 1024 * 1024
/** One file reads at most this at one look. */
const FILE_BYTES = 4 * 1024 * 1024
/** A line end that is older than this ends an entry: what writes a stack trace writes it at once. */
const QUIET_MS = 2_000

/** Reads on in one file. Absent when it is gone, or another one since it was found: the next look will see which. */
export async function readLog(disk: LogDisk, input: ReadInput): Promise<FileReading | undefined> {
  const { file } = input.followed
  const open = await disk.open(file.path)
  if (!open) return undefined
  try {
    return open.facts.identity === file.identity ? await readOpen(open, input) : undefined
  } finally {
    await open.close()
  }
}

async function readOpen(open: OpenLog, input: ReadInput): Promise<FileReading> {
  const { config, followed, budget, readAtMs } = input
  const { path } = followed.file
  const { sizeBytes, mtimeMs, identity } = open.facts
  const head = await readAt(open, 0, Math.min(HEAD_BYTES, sizeBytes))
  const checked = checkHead(followed, head, sizeBytes)
  const reader = createEncodingReader(config.encoding, checked.encoding, head)
  const start = skipAhead(checked, sizeBytes)
  const format = formatOf(config.format, path, decode(head, reader.encoding))
  const text = createTextReader(reader, start, { ...input, format, path, lastAtMs: checked.lastAtMs })
  const charsBefore = budget.chars
  let at = start.offset
  // Time may be over already: one part is read all the same, so that a slow path gets on.
  for (
    let parts = 0;
    at < sizeBytes && at - start.offset < FILE_BYTES && budget.bytes > 0 && budget.chars > 0;
    parts++
  ) {
    if (parts > 0 && budget.expired()) break
    const chunk = await readAt(open, at, Math.min(CHUNK_BYTES, sizeBytes - at))
    if (chunk.length === 0) break
    at += chunk.length
    budget.bytes -= chunk.length
    reader.see(chunk)
    text.push(chunk, charsBefore)
    budget.chars = charsBefore - text.selection.chars
  }
  const isEnd = at >= sizeBytes && budget.chars > 0
  const { moved = false } = followed
  const end = isEnd ? text.end(input.settled, readAtMs - mtimeMs >= QUIET_MS, moved) : text.place()
  const passedBytes = start.offset - checked.offset
  const { leftOut } = text.selection
  return {
    position: { ...checked, ...start, path, identity, mtimeMs, encoding: reader.decided, seenAtMs: readAtMs },
    steps: text.steps(end, { ...input.untold, bytes: input.untold.bytes + passedBytes }),
    ...{ end, leftOut, passedBytes, sizeBytes, encoding: reader.encoding },
  }
}

/** How the bytes are read: as the configuration says, as it was decided before, or as the bytes themselves look. */
function createEncodingReader(told: Encoding | undefined, before: Encoding | null, head: Buffer) {
  const guess = guessEncoding(head)
  let encoding = told ?? before ?? guess.encoding
  let decided = before ?? (guess.sure ? guess.encoding : null)
  return {
    /** More of the file, while it is not decided yet. */
    see(chunk: Buffer): void {
      if (told !== undefined || decided !== null) return
      const { encoding: found, sure } = guessEncoding(chunk)
      // Lines are being cut already: the width of a character cannot change any more.
      if (unitBytes(found) !== unitBytes(encoding)) return
      encoding = found
      if (sure) decided = found
    },
    get encoding() {
      return encoding
    },
    get decided() {
      return decided
    },
  }
}

/** Bytes to lines to records to steps. */
function createTextReader(reader: { readonly encoding: Encoding }, start: Place, options: SelectOptions) {
  const cutter = createLineCutter(reader.encoding, start)
  const joiner = createJoiner(options.format)
  const selection = createSelection(options)

  function push(line: RawLine): void {
    const record = joiner.push({ ...line, text: toText(line.bytes, reader.encoding) })
    if (record) selection.consider(record)
  }

  return {
    selection,
    push(chunk: Buffer, maxChars: number): void {
      for (const line of cutter.push(chunk)) {
        push(line)
        if (selection.chars >= maxChars) return
      }
    },
    /** Where to read on when reading ended before the file. */
    place(): Place {
      const rest = joiner.rest()
      if (!rest) return cutter.place
      if (!rest.end.skipping) return { offset: rest.start, skipping: false }
      // Its last line is so long that its end was not reached: from its start it never would be.
      selection.consider(rest)
      return rest.end
    },
    /** The file is over: what it ends with counts when nothing more is to be expected of it. */
    end(settled: boolean, quiet: boolean, moved: boolean): Place {
      const torn = cutter.rest()
      const place = moved ? cutter.place : cutter.end
      if (torn) push(torn)
      const last = joiner.rest()
      if (!last) return torn && settled ? torn.end : place
      if (!settled && (torn || !quiet)) return { offset: last.start, skipping: false }
      selection.consider(last)
      return last.end
    },
    /** At the end an entry about what is missing. */
    steps(end: Place, untold: Untold): Step[] {
      const leftOut = selection.steps.reduce((sum, step) => sum + step.leftOut, selection.leftOut)
      const missing = { lines: untold.lines + leftOut, bytes: untold.bytes }
      const notice = missing.lines > 0 || missing.bytes > 0 ? [leftOutStep(missing, options, end)] : []
      return [...selection.steps, ...notice]
    },
  }
}

async function readAt(open: OpenLog, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, length === 0 ? 0 : await open.read(buffer, position))
}

function skipAhead({ offset, skipping }: FilePosition, sizeBytes: number): Place {
  if (sizeBytes - offset <= MAX_BEHIND_BYTES) return { offset, skipping }
  const tail = sizeBytes - TAIL_BYTES
  return { offset: tail - (tail % 2), skipping: true }
}

function formatOf(wanted: string | undefined, path: string, head: string): RecordFormat {
  if (wanted === 'lines' || wanted === '1c-tech') return wanted
  if (!techHour(path)) return 'lines'
  const text = head.trimStart()
  return text === '' || startsTechEvent(text) ? '1c-tech' : 'lines'
}

function toText(bytes: Buffer, encoding: Encoding): string {
  const text = decode(bytes, encoding)
  const clean = text.includes('\0') ? text.replaceAll('\0', '') : text
  return clean.endsWith('\r') ? clean.slice(0, -1) : clean
}
