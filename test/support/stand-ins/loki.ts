import { type PushEntry, type PushStream, readPush } from './loki-push.ts'
import {
  CONTROL_CHARACTER,
  decodeUtf8,
  type Exchange,
  inflate,
  LABEL_NAME,
  type Protocol,
  refuse,
  type Verdict,
} from './protocol.ts'
import { createStore, dropOldest, type StoreBounds, seriesKey } from './store.ts'

export interface LokiOptions {
  /** `auth_enabled: true`: every request names its tenant in X-Scope-OrgID. */
  readonly multiTenant?: boolean
}

/** Defaults of Loki 3's `limits_config`; {@link REACH_MS} is half of `max_chunk_age`. */
const LIMITS = {
  labels: 15,
  labelNameBytes: 1024,
  labelValueBytes: 2048,
  lineBytes: 256 * 1024,
  metadataBytes: 64 * 1024,
  metadataEntries: 128,
}
const MAX_AGE_MS = 7 * 86_400_000
const MAX_AHEAD_MS = 10 * 60_000
const REACH_MS = 3_600_000

const PUSH_PATH = '/loki/api/v1/push'

/** A stream's newest time and its last line: what decides on "too far behind" and on duplicates. */
interface StreamHead {
  readonly newestNs: bigint
  readonly last: PushEntry
}

/**
 * Loki's push API, JSON only. There is no Loki here to compare with: copied from grafana/loki main, pkg/loghttp/push,
 * pkg/distributor/validator.go and pkg/ingester/stream.go. Valid entries are stored also when others are refused (400).
 */
export function loki(options: LokiOptions, bounds: StoreBounds): Protocol {
  // Two lines at one time are two entries; the same line again at that time is the same one.
  const store = createStore(bounds, ({ atMs, value }) => `${atMs} ${value}`)
  const heads = new Map<string, StreamHead>()

  function sort(streams: readonly PushStream[], nowMs: number) {
    const taken: { labels: Readonly<Record<string, string>>; entry: PushEntry }[] = []
    const reasons: string[] = []
    const ahead = new Map<string, StreamHead>()
    for (const { labels, entries } of streams) {
      const key = seriesKey('', labels)
      const bad = labelReason(labels)
      if (bad) reasons.push(bad)
      for (const entry of bad ? [] : entries) {
        const head = ahead.get(key) ?? heads.get(key)
        const reason = entryReason(entry, nowMs) ?? behindReason(entry, head)
        if (reason) {
          reasons.push(`entry for stream '${key}' ${reason}`)
          continue
        }
        taken.push({ labels, entry })
        const newestNs = head && head.newestNs > entry.atNs ? head.newestNs : entry.atNs
        ahead.set(key, { newestNs, last: entry })
      }
    }
    return { taken, reasons, ahead }
  }

  function judge({ method, headers, body, nowMs }: Exchange): Verdict {
    if (method !== 'POST') return refuse(405, 'Method Not Allowed')
    if (options.multiTenant && !headers['x-scope-orgid']) return refuse(401, 'no org id')
    const text = readBody(body, headers['content-encoding'], headers['content-type'])
    if (typeof text !== 'string') return text
    const push = readPush(text)
    if (!push.ok) return refuse(400, push.reason)
    if (push.streams.length === 0) return refuse(422, 'error at least one valid stream is required for ingestion')
    const unreadable = push.streams.flatMap(({ labels }) => Object.keys(labels)).find(name => !LABEL_NAME.test(name))
    if (unreadable !== undefined) return refuse(400, `couldn't parse labels: unexpected "${unreadable}"`)
    const { taken, reasons, ahead } = sort(push.streams, nowMs)
    return {
      answer: reasons.length > 0 ? { status: 400, body: `${reasons.slice(0, 10).join('\n')}\n` } : { status: 204 },
      defects: push.streams.flatMap(streamDefects),
      commit() {
        for (const { labels, entry } of taken)
          store.take({
            name: '',
            labels,
            atMs: Number(entry.atNs / 1_000_000n),
            value: entry.line,
            ...(entry.fields && { fields: entry.fields }),
          })
        for (const [key, head] of ahead) {
          heads.delete(key)
          heads.set(key, head)
          if (heads.size > bounds.maxSeries) dropOldest(heads)
        }
      },
    }
  }

  return {
    kind: 'loki',
    title: 'Loki',
    store,
    writes: ({ path }) => path === PUSH_PATH,
    judge,
    read: ({ path }) => (path === '/ready' ? { status: 200, body: 'ready\n' } : undefined),
    clear() {
      store.clear()
      heads.clear()
    },
  }
}

function readBody(body: Buffer, encoding: string | undefined, contentType: string | undefined): string | Verdict {
  if (!contentType) return refuse(400, 'mime: no media type')
  if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json')
    // Anything else is read as protobuf in snappy; this stand-in has no protobuf push.
    return refuse(400, 'snappy: corrupt input')
  if (encoding !== undefined && !['gzip', 'deflate', 'snappy'].includes(encoding))
    return refuse(400, `Content-Encoding "${encoding}" not supported`)
  try {
    const plain = encoding === 'gzip' || encoding === 'deflate' ? inflate(body, encoding) : body
    return decodeUtf8(plain) ?? refuse(400, 'the body is no UTF-8')
  } catch {
    return refuse(400, `${encoding}: invalid header`)
  }
}

function labelReason(labels: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(labels)
  const stream = JSON.stringify(labels)
  if (entries.length === 0) return 'error at least one label pair is required per stream'
  if (entries.length > LIMITS.labels)
    return `entry for stream '${stream}' has ${entries.length} label names; limit ${LIMITS.labels}`
  for (const [name, value] of entries) {
    if (Buffer.byteLength(name) > LIMITS.labelNameBytes) return `stream '${stream}' has label name too long: '${name}'`
    if (Buffer.byteLength(value) > LIMITS.labelValueBytes)
      return `stream '${stream}' has label value too long: '${name}'`
  }
  return undefined
}

function entryReason({ atNs, line, fields }: PushEntry, nowMs: number): string | undefined {
  const now = BigInt(nowMs) * 1_000_000n
  if (atNs < now - BigInt(MAX_AGE_MS) * 1_000_000n) return 'has timestamp too old'
  if (atNs > now + BigInt(MAX_AHEAD_MS) * 1_000_000n) return 'has timestamp too new'
  if (Buffer.byteLength(line) > LIMITS.lineBytes) return `Max entry size '${LIMITS.lineBytes}' bytes exceeded`
  const metadata = Object.entries(fields ?? {})
  const sizeBytes = metadata.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (sizeBytes > LIMITS.metadataBytes) return `has structured metadata too large: '${sizeBytes}' bytes`
  if (metadata.length > LIMITS.metadataEntries) return `has too many structured metadata labels: '${metadata.length}'`
  return undefined
}

function behindReason(entry: PushEntry, head: StreamHead | undefined): string | undefined {
  if (!head || entry.atNs >= head.newestNs - BigInt(REACH_MS) * 1_000_000n) return undefined
  // The last line again is ignored before its age is looked at.
  if (entry.atNs === head.last.atNs && entry.line === head.last.line) return undefined
  return 'entry too far behind'
}

/**
 * What Loki takes and no encoder of ours may send. Our times are whole milliseconds: other digits in the last six mean
 * that nanoseconds went through a Number, whose steps are 256 ns in this century.
 */
function streamDefects({ labels, entries }: PushStream): string[] {
  const found: string[] = []
  for (const [name, value] of Object.entries(labels))
    if (value === '' || CONTROL_CHARACTER.test(value)) found.push(`label "${name}" is empty or has control characters`)
  for (const { atNs, fields } of entries) {
    if (atNs % 1_000_000n !== 0n) found.push(`timestamp ${atNs} is no whole millisecond`)
    for (const name of Object.keys(fields ?? {})) if (!LABEL_NAME.test(name)) found.push(`metadata name "${name}"`)
  }
  if (entries.length === 0) found.push(`stream ${JSON.stringify(labels)} without entries`)
  return found
}
