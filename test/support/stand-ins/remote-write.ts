import { uncompressSync } from 'snappy'
import { APPEND_STATUS, appendable, type HeadView, type Newest } from './prometheus-head.ts'
import { type Exchange, type Protocol, plainValue, refuse, type Verdict } from './protocol.ts'
import { bodyDefects, headerDefects } from './remote-write-defects.ts'
import { decodeWriteRequest, numberOf, STALE_NAN_BITS, type WriteRequest } from './remote-write-message.ts'
import { createStore, dropOldest, type StoreBounds, seriesKey } from './store.ts'

export interface RemoteWriteOptions {
  /** Prometheus' `out_of_order_time_window` in milliseconds; 0, its default: none. */
  readonly outOfOrderWindowMs?: number
}

/** Prometheus' own path, and Grafana Cloud's. */
const WRITE_PATHS = ['/api/v1/write', '/api/prom/push']
const METADATA_TYPES: Readonly<Record<number, string>> = { 0: 'unknown', 1: 'counter', 2: 'gauge', 5: 'summary' }

interface FlatSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly key: string
  readonly atMs: number
  readonly bits: bigint
}

/** Remote write 1.0 as Prometheus 2.42 takes it (storage/remote/write_handler.go), decoded by protobufjs and snappy. */
export function remoteWrite(options: RemoteWriteOptions, bounds: StoreBounds): Protocol {
  const outOfOrderWindowMs = options.outOfOrderWindowMs ?? 0
  const store = createStore(bounds)
  const metadata = new Map<string, { type: string; help: string }>()
  const newest = new Map<string, Newest>()
  let maxMs: number | undefined

  /** Samples one after the other; what is behind its series by then is lost without a word, as in `Commit`. */
  function commit(request: WriteRequest, samples: readonly FlatSample[], head: HeadView): void {
    for (const { name, labels, key, atMs, bits } of samples) {
      const place = appendable(atMs, bits, newest.get(key), head)
      if (place !== 'in-order' && place !== 'out-of-order') continue
      const value = bits === STALE_NAN_BITS ? 'stale' : plainValue(numberOf(bits))
      store.take({ name, labels, atMs, value }, true)
      if (place !== 'in-order') continue
      remember(key, { atMs, bits })
      maxMs = Math.max(maxMs ?? atMs, atMs)
    }
    for (const { metric, type, help } of request.metadata)
      metadata.set(metric, { type: METADATA_TYPES[type] ?? String(type), help })
  }

  function remember(key: string, sample: Newest): void {
    newest.delete(key)
    newest.set(key, sample)
    if (newest.size > bounds.maxSeries) dropOldest(newest)
  }

  function judge({ method, headers, body }: Exchange): Verdict {
    if (method !== 'POST') return refuse(405, 'Method Not Allowed')
    const request = read(body)
    if (typeof request === 'string') return refuse(400, request)
    const flat = flatten(request)
    const head = { maxMs: maxMs ?? flat[0]?.samples[0]?.atMs ?? 0, outOfOrderWindowMs }
    const samples: FlatSample[] = []
    for (const series of flat) {
      for (const sample of series.samples) {
        const place = appendable(sample.atMs, sample.bits, newest.get(sample.key), head)
        if (place === 'out of bounds') return refuse(APPEND_STATUS[place], place)
        if (series.invalid) return refuse(500, `${series.invalid}: invalid sample`)
        if (place !== 'in-order' && place !== 'out-of-order') return refuse(APPEND_STATUS[place], place)
        samples.push(sample)
      }
    }
    return {
      answer: { status: 204 },
      defects: [...headerDefects(headers), ...bodyDefects(request)],
      commit: () => commit(request, samples, head),
    }
  }

  return {
    kind: 'remote-write',
    title: 'Prometheus remote write',
    store,
    writes: ({ path }) => WRITE_PATHS.includes(path),
    judge,
    metadata: () => Object.fromEntries(metadata),
    clear() {
      store.clear()
      metadata.clear()
      newest.clear()
      maxMs = undefined
    },
  }
}

/** The request, or why it is none. Content-Encoding is not looked at: neither does Prometheus 2.42. */
function read(body: Buffer): WriteRequest | string {
  let raw: Buffer
  try {
    if (body.length === 0) return 'snappy: corrupt input'
    raw = Buffer.from(uncompressSync(body))
  } catch {
    return 'snappy: corrupt input'
  }
  try {
    return decodeWriteRequest(raw)
  } catch (error) {
    return `proto: ${error instanceof Error ? error.message : error}`
  }
}

interface FlatSeries {
  readonly samples: readonly FlatSample[]
  /** Why the TSDB has no series for such labels; seen only when there is a sample. */
  readonly invalid?: string
}

/** Series as the TSDB knows them: labels sorted, those without a value gone. */
function flatten(request: WriteRequest): FlatSeries[] {
  return request.timeseries.map(series => {
    const kept = series.labels.filter(({ value }) => value !== '')
    const twice = kept.find(({ name }, index) => kept.findIndex(other => other.name === name) !== index)
    const { __name__: name = '', ...labels } = Object.fromEntries(kept.map(label => [label.name, label.value]))
    const key = seriesKey(name, labels)
    const invalid = kept.length === 0 ? 'empty labelset' : twice && `label name "${twice.name}" is not unique`
    return {
      samples: series.samples.map(({ atMs, bits }) => ({ name, labels, key, atMs, bits })),
      ...(invalid && { invalid }),
    }
  })
}
