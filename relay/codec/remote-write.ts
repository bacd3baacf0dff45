import type { Metric } from '../../shared/metrics.ts'
import { ProtobufWriter, varintBytes } from './protobuf.ts'

/** A series' end. Never a number: arithmetic on that NaN, even `+0`, turns it into an ordinary one. */
export const STALE: unique symbol = Symbol('stale')

export interface Sample {
  readonly atMs: number
  readonly value: number | typeof STALE
}

export interface TimeSeries {
  /** The labels, each as {@link encodeLabel} gives it, in ascending order of their names. May come in pieces. */
  readonly labels: readonly Uint8Array[]
  /** Ascending, no time twice. */
  readonly samples: readonly Sample[]
}

/** Field numbers of prompb/remote.proto and types.proto; `WriteRequest` 2 is reserved. */
const WRITE_REQUEST = { timeseries: 1, metadata: 3 } as const
const TIME_SERIES = { labels: 1, samples: 2 } as const
const LABEL = { name: 1, value: 2 } as const
const SAMPLE = { value: 1, timestamp: 2 } as const
const METADATA = { type: 1, metricFamilyName: 2, help: 4 } as const
const METADATA_TYPE = { counter: 1, gauge: 2 } as const

/** `value.StaleNaN`, 0x7ff0000000000002. */
const STALE_HIGH = 0x7ff00000
const STALE_LOW = 0x00000002

/** A series of an usual size: four labels and one sample. */
const SERIES_BYTES = 192

const utf8 = new TextEncoder()

/** One label as it stands in a `TimeSeries`, tag and length included. */
export function encodeLabel(name: string, value: string): Uint8Array {
  const nameUtf8 = utf8.encode(name)
  const valueUtf8 = utf8.encode(value)
  const length = stringFieldBytes(nameUtf8) + stringFieldBytes(valueUtf8)
  const writer = new ProtobufWriter(1 + varintBytes(length) + length)
  writer.tag(TIME_SERIES.labels, 2)
  writer.varint(length)
  writeString(writer, LABEL.name, nameUtf8)
  writeString(writer, LABEL.value, valueUtf8)
  return writer.written()
}

/** TYPE and HELP of a catalogue as they stand in a `WriteRequest`. UNIT is left out on purpose: it is in the help. */
export function encodeMetadata(metrics: Readonly<Record<string, Metric>>): Uint8Array {
  const request = new ProtobufWriter(8_192)
  for (const [name, metric] of Object.entries(metrics)) {
    const nameUtf8 = utf8.encode(name)
    const helpUtf8 = utf8.encode(metric.help)
    request.tag(WRITE_REQUEST.metadata, 2)
    request.varint(2 + stringFieldBytes(nameUtf8) + stringFieldBytes(helpUtf8))
    request.tag(METADATA.type, 0)
    request.varint(METADATA_TYPE[metric.type])
    writeString(request, METADATA.metricFamilyName, nameUtf8)
    writeString(request, METADATA.help, helpUtf8)
  }
  return request.written()
}

/** A `WriteRequest`, not compressed. `metadata` is what {@link encodeMetadata} made. */
export function encodeWriteRequest(series: readonly TimeSeries[], metadata?: Uint8Array): Uint8Array {
  const request = new ProtobufWriter(series.length * SERIES_BYTES + (metadata?.length ?? 0))
  for (const one of series) writeTimeSeries(request, one)
  if (metadata) request.bytes(metadata)
  return request.written()
}

function writeTimeSeries(request: ProtobufWriter, { labels, samples }: TimeSeries): void {
  let length = 0
  for (const label of labels) length += label.length
  for (const sample of samples) length += 2 + sampleBytes(sample)
  request.tag(WRITE_REQUEST.timeseries, 2)
  request.varint(length)
  for (const label of labels) request.bytes(label)
  for (const sample of samples) writeSample(request, sample)
}

function writeSample(request: ProtobufWriter, sample: Sample): void {
  request.tag(TIME_SERIES.samples, 2)
  request.varint(sampleBytes(sample))
  request.tag(SAMPLE.value, 1)
  if (sample.value === STALE) request.fixed64(STALE_HIGH, STALE_LOW)
  else request.double(sample.value)
  request.tag(SAMPLE.timestamp, 0)
  request.varint(sample.atMs)
}

/** Always under 128, so that its own length is one byte. */
function sampleBytes(sample: Sample): number {
  return 10 + varintBytes(sample.atMs)
}

function writeString(writer: ProtobufWriter, field: number, text: Uint8Array): void {
  writer.tag(field, 2)
  writer.varint(text.length)
  writer.bytes(text)
}

function stringFieldBytes(text: Uint8Array): number {
  return 1 + varintBytes(text.length) + text.length
}
