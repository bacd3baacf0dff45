import { type Encoding, unitBytes } from './encoding.ts'

/** Where a file is to be read on. */
export interface Place {
  readonly offset: number
  /** What comes first is the rest of a line that was cut: it is passed over. */
  readonly skipping: boolean
}

export interface RawLine {
  /** Without its line end. */
  readonly bytes: Buffer
  readonly start: number
  /** Where the next line begins. */
  readonly end: Place
  /** It was longer than {@link MAX_LINE_BYTES}; the rest is passed over. */
  readonly cut: boolean
}

/** As much of a line as the wire takes in one entry. */
export const MAX_LINE_BYTES = 64 * 1024

/**
 * Cuts the bytes of a file into lines, before they are text: a line end is the same bytes in every encoding of one
 * width, so no character is ever torn, and every line knows its place in the file to the byte.
 */
export interface LineCutter {
  push(chunk: Uint8Array): RawLine[]
  /** The line that has not ended yet; absent when there is none. */
  rest(): RawLine | undefined
  /** Where to read on when that line is left for later. */
  readonly place: Place
  /** The same where the file ends: before the zeros that it ends with. */
  readonly end: Place
}

/** So many zeros at the end of a file are room that its writer took at once and fills line by line; more are a hole. */
const MAX_ROOM_BYTES = 256 * 1024

export function createLineCutter(encoding: Encoding, from: Place): LineCutter {
  const width = unitBytes(encoding)
  let pending = Buffer.alloc(0)
  /** Where `pending` begins in the file. */
  let { offset, skipping } = from
  /** The zeros that were passed over last. */
  let zeros = { from: -1, to: -1 }

  function advance(bytes: number): void {
    pending = pending.subarray(bytes)
    offset += bytes
  }

  /** What a crash or a truncation under an open writer leaves: a hole that reads as zeros. */
  function passNulls(): void {
    let nulls = 0
    while (nulls < pending.length && pending[nulls] === 0) nulls++
    // The first byte of UTF-16BE is zero for every Latin letter.
    const passed = nulls - (nulls % width)
    if (passed === 0) return
    zeros = { from: zeros.to === offset ? zeros.from : offset, to: offset + passed }
    advance(passed)
  }

  /** Without the zeros at its end, which may be room for the rest of the line. */
  function restBytes(): number {
    let length = pending.length - (pending.length % width)
    while (length > 0 && pending.subarray(length - width, length).every(byte => byte === 0)) length -= width
    return length
  }

  function takeLine(newline: number): RawLine | undefined {
    const bytes = pending.subarray(0, newline)
    const start = offset
    const wasSkipping = skipping
    advance(newline + width)
    skipping = false
    if (wasSkipping) return undefined
    return { bytes, start, end: { offset, skipping }, cut: false }
  }

  function cutLine(): RawLine | undefined {
    const wasSkipping = skipping
    const length = wasSkipping ? pending.length - (pending.length % width) : wholeCharacters(pending, encoding)
    const bytes = pending.subarray(0, length)
    const start = offset
    advance(length)
    skipping = true
    return wasSkipping ? undefined : { bytes, start, end: { offset, skipping }, cut: true }
  }

  return {
    push(chunk) {
      pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk])
      const lines: RawLine[] = []
      for (;;) {
        passNulls()
        const newline = findNewline(pending, encoding, offset)
        const tooLong = newline > MAX_LINE_BYTES || (newline < 0 && pending.length > MAX_LINE_BYTES)
        if (newline < 0 && !tooLong && !skipping) return lines
        const line = (tooLong && !skipping) || newline < 0 ? cutLine() : takeLine(newline)
        if (line) lines.push(line)
        if (newline < 0) return lines
      }
    },
    rest() {
      const length = restBytes()
      if (skipping || length === 0) return undefined
      return {
        bytes: pending.subarray(0, length),
        start: offset,
        end: { offset: offset + length, skipping },
        cut: false,
      }
    },
    get place() {
      return { offset, skipping }
    },
    get end() {
      const isRoom = pending.length < width && zeros.to === offset && zeros.to - zeros.from <= MAX_ROOM_BYTES
      return { offset: isRoom ? zeros.from : offset, skipping }
    },
  }
}

/** -1 when there is none. In UTF-16 a line end is one on an even place of the file only. */
function findNewline(bytes: Buffer, encoding: Encoding, offset: number): number {
  if (unitBytes(encoding) === 1) return bytes.indexOf(0x0a)
  const newline = encoding === 'utf-16le' ? Buffer.from([0x0a, 0]) : Buffer.from([0, 0x0a])
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1))
    if ((offset + at) % 2 === 0) return at
  return -1
}

/** At most the longest line, and no half of a character at its end. */
function wholeCharacters(bytes: Buffer, encoding: Encoding): number {
  let length = Math.min(bytes.length, MAX_LINE_BYTES)
  if (encoding === 'utf-8') {
    while (length > 0 && ((bytes[length] ?? 0) & 0xc0) === 0x80) length--
    return length
  }
  if (unitBytes(encoding) === 1) return length
  length -= length % 2
  const high = bytes[encoding === 'utf-16le' ? length - 1 : length - 2] ?? 0
  return high >= 0xd8 && high <= 0xdb ? length - 2 : length
}
