import { compressSync } from 'snappy'
import type { PlainRequest } from './http-request.ts'
import { bitsOf, encodeWriteRequest, type WireLabel, type WireTimeSeries } from './stand-ins/remote-write-message.ts'

/** Remote write requests for tests, made by protobufjs and native snappy: nothing of the relay's own codec. */
export const REMOTE_WRITE_HEADERS = {
  'content-encoding': 'snappy',
  'content-type': 'application/x-protobuf',
  'x-prometheus-remote-write-version': '0.1.0',
  'user-agent': 'conformance/1',
}

/** A value as a number, or as the bits of one where a NaN has to be exact. */
export type SampleTuple = readonly [atMs: number, value: number | bigint]

/** Labels of a record are sorted; those of a list are left as they are. */
export function timeSeries(
  labels: Record<string, string> | readonly WireLabel[],
  ...samples: SampleTuple[]
): WireTimeSeries {
  const list = Array.isArray(labels)
    ? (labels as readonly WireLabel[])
    : Object.entries(labels).map(([name, value]) => ({ name, value }))
  return {
    labels: list === labels ? list : [...list].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
    samples: samples.map(([atMs, value]) => ({ atMs, bits: typeof value === 'bigint' ? value : bitsOf(value) })),
  }
}

export const protobufOf = (...timeseries: readonly WireTimeSeries[]) => encodeWriteRequest({ timeseries, metadata: [] })

export const snappyOf = (bytes: Uint8Array) => compressSync(Buffer.from(bytes))

export const writeOf = (...timeseries: readonly WireTimeSeries[]): PlainRequest => ({
  method: 'POST',
  path: '/api/v1/write',
  headers: REMOTE_WRITE_HEADERS,
  body: snappyOf(protobufOf(...timeseries)),
})
