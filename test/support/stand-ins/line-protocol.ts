/**
 * Line protocol as InfluxDB reads it (models/points.go, the same in 1.x and 2.x), a scanner with its quirks: a
 * backslash protects whatever byte follows it, so that none can end a tag value. Checked against InfluxDB 1.6.
 */
export type FieldValue =
  /** `odd`: a number like `.5` or `5.`, which InfluxDB reads and VictoriaMetrics takes for 0. */
  | { readonly type: 'float' | 'integer'; readonly value: number; readonly odd?: true }
  | { readonly type: 'boolean' | 'string'; readonly value: string }

export interface Point {
  readonly measurement: string
  readonly tags: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, FieldValue>>
  /** As written, in the unit of the request; undefined: the server's clock. */
  readonly time: bigint | undefined
  /** A field was given twice: the last one counts. */
  readonly repeatedField: boolean
}

export type LineReading =
  | { readonly ok: true; readonly point: Point }
  | { readonly ok: false; readonly line: string; readonly reason: string }

export class LineError extends Error {}

const MAX_INT64 = 2n ** 63n - 1n

/** One reading a line; empty lines and comments have none. */
export function readLines(text: string): LineReading[] {
  return splitLines(text)
    .map(line => line.replace(/^[ \t\0]+/, ''))
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      try {
        return { ok: true, point: readPoint(line) }
      } catch (error) {
        if (error instanceof LineError) return { ok: false, line, reason: error.message }
        throw error
      }
    })
}

/** A line end inside a quoted field, or after a backslash, does not end the line. */
function splitLines(text: string): string[] {
  const lines: string[] = []
  let start = 0
  let [quoted, inFields, equals, commas] = [false, false, 0, 0]
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '\\' && at + 2 < text.length) {
      at += 1
    } else if (character === '\n' && !quoted) {
      lines.push(text.slice(start, at))
      start = at + 1
      ;[inFields, equals, commas] = [false, 0, 0]
    } else if (character === ' ') inFields = true
    else if (inFields && !quoted && character === '=') equals += 1
    else if (inFields && !quoted && character === ',') commas += 1
    else if (inFields && character === '"' && equals > commas) quoted = !quoted
  }
  return [...lines, text.slice(start)]
}

function readPoint(line: string): Point {
  const keyEnd = endOfKey(line)
  const [measurement = '', ...tags] = splitUnescaped(line.slice(0, keyEnd), ',')
  const fieldsStart = skipBlank(line, keyEnd)
  const { fields, end, repeatedField } = readFields(line, fieldsStart)
  return {
    measurement: measurement.replace(/\\([, ])/g, '$1'),
    tags: readTags(tags),
    fields,
    time: readTime(line, skipBlank(line, end)),
    repeatedField,
  }
}

function skipBlank(line: string, from: number): number {
  let at = from
  while (at < line.length && /[ \t\0]/.test(line[at] ?? '')) at += 1
  return at
}

/** End of measurement and tags (`scanKey`). Only the one byte before decides whether a byte is escaped. */
function endOfKey(line: string): number {
  if (line.startsWith(',')) throw new LineError('missing measurement')
  let at = scanTo(line, 1, /[, ]/, 'missing fields')
  while (line[at] === ',') {
    const key = at + 1
    if (key >= line.length || /[ ,=]/.test(line[key] ?? '')) throw new LineError('missing tag key')
    const equals = scanTo(line, key + 1, /[ ,=]/, 'missing tag value')
    if (line[equals] !== '=') throw new LineError('missing tag value')
    const value = equals + 1
    if (value >= line.length || /[, ]/.test(line[value] ?? '')) throw new LineError('missing tag value')
    at = scanTo(line, value + 1, /[ ,=]/, 'missing fields')
    if (line[at] === '=') throw new LineError('invalid tag format')
  }
  return at
}

function scanTo(line: string, from: number, stop: RegExp, missing: string): number {
  for (let at = from; at < line.length; at += 1) if (line[at - 1] !== '\\' && stop.test(line[at] ?? '')) return at
  throw new LineError(missing)
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] !== separator || text[at - 1] === '\\') continue
    parts.push(text.slice(start, at))
    start = at + 1
  }
  return [...parts, text.slice(start)]
}

const unescapeTag = (text: string) => text.replace(/\\([,= ])/g, '$1')

function readTags(parts: readonly string[]): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const part of parts) {
    const equals = scanTo(part, 1, /=/, 'missing tag value')
    const key = unescapeTag(part.slice(0, equals))
    if (Object.hasOwn(tags, key)) throw new LineError('duplicate tags')
    tags[key] = unescapeTag(part.slice(equals + 1))
  }
  return tags
}

/** `scanFields`: a space outside quotes ends them. */
function readFields(line: string, from: number) {
  const fields: Record<string, FieldValue> = {}
  let repeatedField = false
  if (from >= line.length) throw new LineError('missing fields')
  let at = from
  for (;;) {
    const key = readFieldKey(line, at)
    const value = readFieldValue(line, key.end + 1)
    if (Object.hasOwn(fields, key.name)) repeatedField = true
    fields[key.name] = value.field
    at = value.end
    if (line[at] !== ',') break
    at += 1
  }
  if (at < line.length && line[at] !== ' ') throw new LineError('invalid number')
  return { fields, end: at, repeatedField }
}

function readFieldKey(line: string, from: number): { name: string; end: number } {
  let at = from
  while (at < line.length && !/[=, ]/.test(line[at] ?? '')) at += line[at] === '\\' ? 2 : 1
  if (line[at] !== '=') throw new LineError('invalid field format')
  if (at === from) throw new LineError('missing field key')
  return { name: unescapeTag(line.slice(from, at)), end: at }
}

const BOOLEANS: Readonly<Record<string, string>> = Object.fromEntries([
  ...['t', 'T', 'true', 'True', 'TRUE'].map(word => [word, 'true']),
  ...['f', 'F', 'false', 'False', 'FALSE'].map(word => [word, 'false']),
])

function readFieldValue(line: string, from: number): { field: FieldValue; end: number } {
  if (from >= line.length || line[from] === ',' || line[from] === ' ') throw new LineError('missing field value')
  if (line[from] === '"') {
    const quoted = /^"((?:[^"\\]|\\.)*)"/s.exec(line.slice(from))
    if (!quoted) throw new LineError('unbalanced quotes')
    const value = (quoted[1] ?? '').replace(/\\(["\\])/g, '$1')
    return { field: { type: 'string', value }, end: from + quoted[0].length }
  }
  const word = /^[^, ]*/.exec(line.slice(from))?.[0] ?? ''
  const end = from + word.length
  if (/^[0-9.nN-]/.test(word)) return { field: readNumber(word), end }
  const value = Object.hasOwn(BOOLEANS, word) ? BOOLEANS[word] : undefined
  if (value === undefined) throw new LineError('invalid boolean')
  return { field: { type: 'boolean', value }, end }
}

function readNumber(word: string): FieldValue {
  if (/^-?\d+i$/.test(word)) {
    const value = BigInt(word.slice(0, -1))
    if (value > MAX_INT64 || value < -MAX_INT64 - 1n) throw new LineError(`unable to parse integer ${word}`)
    return { type: 'integer', value: Number(value) }
  }
  if (!/^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) throw new LineError('invalid number')
  if (!Number.isFinite(Number(word))) throw new LineError('invalid float')
  return { type: 'float', value: Number(word), ...(/^-?\.|\.(?!\d)/.test(word) && { odd: true }) }
}

function readTime(line: string, from: number): bigint | undefined {
  const text = line.slice(from).replace(/[ \t\0]+$/, '')
  if (text === '') return undefined
  const [word = '', ...more] = text.split(' ')
  if (!/^-?\d+$/.test(word)) throw new LineError('bad timestamp')
  if (more.length > 0) throw new LineError('point is invalid')
  const time = BigInt(word)
  if (time > MAX_INT64 || time < -MAX_INT64 - 1n) throw new LineError(`parsing "${word}": value out of range`)
  return time
}
