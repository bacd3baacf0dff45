import { LABEL_NAME, METRIC_NAME } from './protocol.ts'
import {
  numberOf,
  STALE_NAN_BITS,
  type WireLabel,
  type WireTimeSeries,
  type WriteRequest,
} from './remote-write-message.ts'

/**
 * What the remote write 1.0 specification (prometheus.io/docs/concepts/remote_write_spec) forbids and Prometheus 2.42
 * lets pass. Mimir and Grafana Cloud refuse some of it; of the rest Prometheus loses or bends data without a word.
 */
const REQUIRED_HEADERS: Readonly<Record<string, RegExp>> = {
  'content-encoding': /^snappy$/,
  'content-type': /^application\/x-protobuf$/,
  'x-prometheus-remote-write-version': /^0\.1\.0$/,
  'user-agent': /\S/,
}

export function headerDefects(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  return Object.entries(REQUIRED_HEADERS)
    .filter(([name, wanted]) => !wanted.test(String(headers[name] ?? '')))
    .map(([name]) => `header ${name} is missing or wrong`)
}

export function bodyDefects(request: WriteRequest): string[] {
  const newest = new Map<string, number>()
  return [
    ...request.timeseries.flatMap(series => [...labelDefects(series.labels), ...sampleDefects(series, newest)]),
    ...request.metadata
      .filter(({ metric }) => !METRIC_NAME.test(metric))
      .map(({ metric }) => `metadata of "${metric}"`),
  ]
}

function labelDefects(labels: readonly WireLabel[]): string[] {
  const names = labels.map(label => label.name)
  const found: string[] = []
  const metric = labels.find(label => label.name === '__name__')?.value
  if (metric === undefined) found.push('series without __name__')
  else if (!METRIC_NAME.test(metric)) found.push(`metric name "${metric}"`)
  if (names.some((name, index) => index > 0 && !precedes(names[index - 1] ?? '', name)))
    found.push(`labels are not sorted: ${names.join(', ')}`)
  for (const { name, value, malformed } of labels) {
    if (malformed) found.push(`label "${name}" is no UTF-8`)
    else if (!LABEL_NAME.test(name)) found.push(`label name "${name}"`)
    else if (value === '') found.push(`label "${name}" has no value`)
  }
  return found
}

/** Go compares strings byte by byte, which is not the order of JavaScript's UTF-16 units. */
const precedes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) <= 0

/**
 * Samples of a series go up in time, over the whole request. Of unsorted ones Prometheus 2.42 answers 204 and loses
 * those that are behind; of two at one time it keeps the first.
 */
function sampleDefects({ labels, samples }: WireTimeSeries, newest: Map<string, number>): string[] {
  const found: string[] = []
  const key = JSON.stringify(labels)
  const named = labels.find(label => label.name === '__name__')?.value ?? ''
  if (samples.length === 0) found.push(`series ${named} without samples`)
  for (const { atMs, bits } of samples) {
    const before = newest.get(key)
    if (before !== undefined && atMs <= before)
      found.push(`samples of ${named} are not sorted: ${atMs} after ${before}`)
    newest.set(key, Math.max(atMs, before ?? atMs))
    if (Number.isNaN(numberOf(bits)) && bits !== STALE_NAN_BITS)
      found.push(`a NaN of ${named} that is no stale marker: 0x${bits.toString(16)}`)
  }
  return found
}
