/**
 * The JSON body of Loki's push API, read as pkg/loghttp does (grafana/loki, main): strings where strings are due, an
 * entry of two or three elements, nanoseconds as a decimal string that fits an int64.
 */
export interface PushEntry {
  readonly atNs: bigint
  readonly line: string
  /** Structured metadata. */
  readonly fields?: Readonly<Record<string, string>>
}

export interface PushStream {
  readonly labels: Readonly<Record<string, string>>
  readonly entries: readonly PushEntry[]
}

export type PushReading =
  | { readonly ok: true; readonly streams: readonly PushStream[] }
  | { readonly ok: false; readonly reason: string }

const MAX_INT64 = 2n ** 63n - 1n

class Unreadable extends Error {}

export function readPush(text: string): PushReading {
  try {
    const body = record(JSON.parse(text), 'the body')
    const streams = body.streams === undefined ? [] : array(body.streams, 'streams')
    return { ok: true, streams: streams.map(readStream) }
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return { ok: false, reason: error.message }
    throw error
  }
}

function readStream(value: unknown): PushStream {
  const { stream, values } = record(value, 'a stream')
  return {
    labels: strings(stream ?? {}, 'stream'),
    entries: values === undefined ? [] : array(values, 'values').map(readEntry),
  }
}

function readEntry(value: unknown): PushEntry {
  const tuple = array(value, 'an entry')
  if (tuple.length > 3) throw new Unreadable('error reading entry: array must contains 2 values')
  const [time, line, metadata] = tuple
  if (typeof time !== 'string')
    throw new Unreadable('error reading entry timestamp: Value looks like Number/Boolean/None')
  if (typeof line !== 'string') throw new Unreadable('error reading entry: the line is no string')
  return {
    atNs: nanoseconds(time),
    line,
    ...(metadata !== undefined && { fields: strings(metadata, 'structured metadata') }),
  }
}

/** strconv.ParseInt(s, 10, 64). */
function nanoseconds(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new Unreadable(`strconv.ParseInt: parsing "${text}": invalid syntax`)
  const value = BigInt(text)
  if (value > MAX_INT64 || value < -MAX_INT64 - 1n)
    throw new Unreadable(`strconv.ParseInt: parsing "${text}": value out of range`)
  return value
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unreadable(`${what} is no object`)
  return value as Record<string, unknown>
}

function array(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable(`${what} is no array`)
  return value
}

function strings(value: unknown, what: string): Record<string, string> {
  const found = record(value, what)
  for (const [name, text] of Object.entries(found))
    if (typeof text !== 'string') throw new Unreadable(`${what}: "${name}" is no string`)
  return found as Record<string, string>
}
