import type { IncomingHttpHeaders } from 'node:http'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import type { Store } from './store.ts'

export const STAND_IN_KINDS = ['remote-write', 'pushgateway', 'influxdb', 'loki'] as const
export type StandInKind = (typeof STAND_IN_KINDS)[number]

/** One request, whole. `path` is as it was sent, still escaped and without the query. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly nowMs: number
}

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * What a protocol decides on a request without changing anything. `answer` is what the real server answers. `defects`
 * are what the real server lets pass although the protocol's specification forbids it, or although it loses or bends
 * data by it; no encoder of ours may do it. `commit` stores what the real server would store; absent: nothing.
 */
export interface Verdict {
  readonly answer: Answer
  readonly defects: readonly string[]
  readonly commit?: () => void
  /** What a refusal leaves behind (a Pushgateway remembers failed pushes). */
  readonly onRefusal?: () => void
}

/** A sink's API, strict. Each lives in a file of its own and is made by a function that takes the store and its options. */
export interface Protocol {
  readonly kind: StandInKind
  /** For people. */
  readonly title: string
  readonly store: Store
  /** Requests that are judged (and made to fail): those to the write API. Others get {@link read}. */
  writes(exchange: Exchange): boolean
  judge(exchange: Exchange): Verdict
  /** What else the server answers; undefined: 404. */
  read?(exchange: Exchange): Answer | undefined
  /** Type and help of each metric, where the protocol carries them. */
  metadata?(): Readonly<Record<string, { readonly type: string; readonly help: string }>>
  clear(): void
}

export const refuse = (status: number, body: string, headers?: Record<string, string>): Verdict => ({
  answer: { status, body: `${body}\n`, ...(headers && { headers }) },
  defects: [],
})

/** Largest body after inflating: a stand-in is no place for a bomb either. */
const MAX_INFLATED_BYTES = 32 * 1024 * 1024

/** Throws when the bytes are not of that encoding, or inflate to too much. */
export function inflate(body: Buffer, encoding: 'gzip' | 'deflate'): Buffer {
  const options = { maxOutputLength: MAX_INFLATED_BYTES }
  // Go's compress/flate, which Loki uses for "deflate", is raw deflate without a zlib header.
  return encoding === 'gzip' ? gunzipSync(body, options) : inflateRawSync(body, options)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text, or undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

export const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
export const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
export const CONTROL_CHARACTER = /\p{Cc}/u

/** A JSON-safe form of a sample's value. */
export function plainValue(value: number): number | string {
  if (Number.isFinite(value)) return value
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
