import protobuf from 'protobufjs'
import { decodeUtf8 } from './protocol.ts'

/**
 * Remote write 1.0 as Prometheus' prompb/remote.proto and types.proto have it, read and written by protobufjs: nothing
 * of the relay's own codec, or a test would only prove that we agree with ourselves.
 *
 * `Sample.value` is declared `fixed64` instead of `double`, the same eight bytes on the wire: a JavaScript number cannot
 * be trusted to keep the bits of a NaN, and the stale marker is one NaN out of 2^53. Labels are declared `bytes` instead
 * of `string`, again the same on the wire, so that text which is no UTF-8 is seen and not mended.
 */
const SCHEMA = `
syntax = "proto3";
package prometheus;
message WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
message Label { bytes name = 1; bytes value = 2; }
message Sample { fixed64 value = 1; int64 timestamp = 2; }
message MetricMetadata { uint32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
`
const writeRequest = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('prometheus.WriteRequest')

/** Marks the end of a series: `value.StaleNaN` of prometheus/model/value. */
export const STALE_NAN_BITS = 0x7ff0000000000002n

/** What Prometheus itself writes for a NaN that it computed: `value.NormalNaN`. */
export const NORMAL_NAN_BITS = 0x7ff8000000000001n

export interface WireLabel {
  readonly name: string
  readonly value: string
  /** The bytes were no UTF-8: `name` and `value` hold U+FFFD where they were not. */
  readonly malformed?: true
}

/** `bits` are the IEEE 754 ones of the value; {@link numberOf} reads them. */
export interface WireSample {
  readonly bits: bigint
  readonly atMs: number
}

export interface WireTimeSeries {
  readonly labels: readonly WireLabel[]
  readonly samples: readonly WireSample[]
}

/** `type`: 1 counter, 2 gauge. */
export interface WireMetadata {
  readonly type: number
  readonly metric: string
  readonly help: string
  readonly unit: string
}

export interface WriteRequest {
  readonly timeseries: readonly WireTimeSeries[]
  readonly metadata: readonly WireMetadata[]
}

const cell = new DataView(new ArrayBuffer(8))

export function bitsOf(value: number): bigint {
  cell.setFloat64(0, value)
  return cell.getBigUint64(0)
}

export function numberOf(bits: bigint): number {
  cell.setBigUint64(0, bits)
  return cell.getFloat64(0)
}

interface Decoded {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[]
    readonly samples: readonly { readonly value: string; readonly timestamp: string }[]
  }[]
  readonly metadata: readonly { type: number; metric_family_name: string; help: string; unit: string }[]
}

function readLabel(label: { readonly name: Uint8Array; readonly value: Uint8Array }): WireLabel {
  const [name, value] = [decodeUtf8(label.name), decodeUtf8(label.value)]
  if (name !== undefined && value !== undefined) return { name, value }
  return { name: Buffer.from(label.name).toString(), value: Buffer.from(label.value).toString(), malformed: true }
}

const WIRE_TYPES: Readonly<Record<string, number>> = protobuf.types.basic

/** Throws where a known field has another wire type: protobufjs skips it, Go's decoder refuses the whole request. */
function checkWireTypes(bytes: Uint8Array, type: protobuf.Type): void {
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const field = type.fieldsById[tag >>> 3]?.resolve()
    const wireType = tag & 7
    if (!field) {
      reader.skipType(wireType)
      continue
    }
    const nested = field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined
    const wanted = nested ? 2 : WIRE_TYPES[field.type]
    if (wireType !== wanted) throw new Error(`wrong wireType = ${wireType} for field ${field.name}`)
    if (nested) checkWireTypes(reader.bytes(), nested)
    else reader.skipType(wireType)
  }
}

/** Throws where the bytes are no WriteRequest. */
export function decodeWriteRequest(bytes: Uint8Array): WriteRequest {
  checkWireTypes(bytes, writeRequest)
  const message = writeRequest.toObject(writeRequest.decode(bytes), { longs: String, defaults: true }) as Decoded
  return {
    timeseries: message.timeseries.map(({ labels, samples }) => ({
      labels: labels.map(readLabel),
      samples: samples.map(sample => ({ bits: BigInt(sample.value), atMs: Number(sample.timestamp) })),
    })),
    metadata: message.metadata.map(({ metric_family_name, ...rest }) => ({ metric: metric_family_name, ...rest })),
  }
}

export function encodeWriteRequest(request: WriteRequest): Uint8Array {
  const message = {
    timeseries: request.timeseries.map(({ labels, samples }) => ({
      labels: labels.map(({ name, value }) => ({ name: Buffer.from(name), value: Buffer.from(value) })),
      samples: samples.map(({ bits, atMs }) => ({ value: bits.toString(), timestamp: String(atMs) })),
    })),
    metadata: request.metadata.map(({ metric, ...rest }) => ({ metric_family_name: metric, ...rest })),
  }
  return writeRequest.encode(writeRequest.fromObject(message)).finish()
}
