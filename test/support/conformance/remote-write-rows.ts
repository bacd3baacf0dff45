import { gzipSync } from 'node:zlib'
import type { PlainRequest } from '../http-request.ts'
import { protobufOf, REMOTE_WRITE_HEADERS, snappyOf, timeSeries, writeOf } from '../remote-write-request.ts'
import { bitsOf, encodeWriteRequest, NORMAL_NAN_BITS, STALE_NAN_BITS } from '../stand-ins/remote-write-message.ts'
import type { Row } from './row.ts'

interface RemoteWriteRow extends Row {
  /** With an out-of-order window of 2 h, where that differs. */
  readonly windowStatus?: number
}

const MINUTE_MS = 60_000
const of = (metric: string) => ({ __name__: metric, instance: 'БУХ-1С', job: 'onec_backup_bot', tenant: 'ООО Ромашка' })

const without = (name: keyof typeof REMOTE_WRITE_HEADERS) =>
  Object.fromEntries(Object.entries(REMOTE_WRITE_HEADERS).filter(([header]) => header !== name))

/** Statuses: Prometheus 2.42 with `--web.enable-remote-write-receiver`. */
export function remoteWriteRows(nowMs: number): RemoteWriteRow[] {
  const one = (metric: string) => timeSeries(of(metric), [nowMs, 1])
  const body = (bytes: Uint8Array): PlainRequest => ({ ...writeOf(), body: bytes })
  const encoded = protobufOf(one('encoded'))
  const at = (agoMinutes: number) => nowMs - agoMinutes * MINUTE_MS
  return [
    { name: 'a good sample', request: writeOf(timeSeries(of('good'), [nowMs - 1000, 1])), status: 204 },
    { name: 'the same sample again', request: writeOf(timeSeries(of('good'), [nowMs - 1000, 1])), status: 204 },
    { name: 'the same time, another value', request: writeOf(timeSeries(of('good'), [nowMs - 1000, 2])), status: 400 },
    {
      name: 'a second older than the newest',
      request: writeOf(timeSeries(of('good'), [nowMs - 2000, 1])),
      status: 400,
      windowStatus: 204,
    },
    {
      name: 'several samples of a series',
      request: writeOf(timeSeries(of('multi'), [nowMs - 3000, 1], [nowMs - 2000, 2], [nowMs - 1000, 3])),
      status: 204,
    },
    {
      name: 'the same several samples again',
      request: writeOf(timeSeries(of('multi'), [nowMs - 3000, 1], [nowMs - 2000, 2], [nowMs - 1000, 3])),
      status: 400,
      windowStatus: 204,
    },
    {
      name: 'a good series beside one out of order: nothing stored',
      request: writeOf(one('beside_late'), timeSeries(of('good'), [nowMs - 5000, 5])),
      status: 400,
      windowStatus: 204,
    },

    // headers: Prometheus 2.42 looks at none of them
    ...(Object.keys(REMOTE_WRITE_HEADERS) as (keyof typeof REMOTE_WRITE_HEADERS)[]).map(name => ({
      name: `without ${name}`,
      request: { ...writeOf(one('headers')), headers: without(name) },
      status: 204,
      defect: new RegExp(name),
    })),
    {
      name: 'content-type text/plain, as the seed guide has it',
      request: { ...writeOf(one('headers')), headers: { ...REMOTE_WRITE_HEADERS, 'content-type': 'text/plain' } },
      status: 204,
      defect: /content-type/,
    },
    {
      name: 'version 2.0.0',
      request: {
        ...writeOf(one('headers')),
        headers: { ...REMOTE_WRITE_HEADERS, 'x-prometheus-remote-write-version': '2.0.0' },
      },
      status: 204,
      defect: /version/,
    },
    { name: 'GET', request: { ...writeOf(), method: 'GET' }, status: 405 },
    { name: 'PUT', request: { ...writeOf(one('method')), method: 'PUT' }, status: 405 },
    { name: 'another path', request: { ...writeOf(one('path')), path: '/api/v1/wrote' }, status: 404 },

    // encoding
    { name: 'protobuf without snappy', request: body(encoded), status: 400 },
    { name: 'gzip instead of snappy', request: body(gzipSync(encoded)), status: 400 },
    {
      name: 'framed snappy',
      request: body(Buffer.concat([Buffer.from('\xff\x06\0\0sNaPpY', 'latin1'), snappyOf(encoded)])),
      status: 400,
    },
    { name: 'truncated snappy', request: body(snappyOf(encoded).subarray(0, -3)), status: 400 },
    { name: 'no body', request: body(new Uint8Array()), status: 400 },
    { name: 'an empty WriteRequest', request: body(snappyOf(new Uint8Array())), status: 204 },
    { name: 'truncated protobuf', request: body(snappyOf(encoded.subarray(0, -3))), status: 400 },
    { name: 'the text format', request: body(snappyOf(Buffer.from('onec_cpu_percent 45.2\n'))), status: 400 },
    { name: 'a known field with another wire type', request: body(snappyOf(Buffer.from([0x08, 0x01]))), status: 400 },
    { name: 'an unknown field', request: body(snappyOf(Buffer.from([0x4a, 0x01, 0x41]))), status: 204 },
    {
      name: 'metadata alone',
      request: body(
        snappyOf(
          encodeWriteRequest({ timeseries: [], metadata: [{ type: 2, metric: 'good', help: 'Help.', unit: '' }] }),
        ),
      ),
      status: 204,
    },

    // labels
    {
      name: 'a series without samples',
      request: writeOf(timeSeries(of('bare'))),
      status: 204,
      defect: /without samples/,
    },
    { name: 'a series without labels', request: writeOf(timeSeries({}, [nowMs, 1])), status: 500 },
    {
      name: 'a series without __name__',
      request: writeOf(timeSeries({ job: 'nameless' }, [nowMs, 1])),
      status: 204,
      defect: /without __name__/,
    },
    {
      name: 'a metric name with a dash',
      request: writeOf(timeSeries({ __name__: 'bad-name' }, [nowMs, 1])),
      status: 204,
      defect: /bad-name/,
    },
    {
      name: 'a label name with a dash',
      request: writeOf(timeSeries({ __name__: 'dashed', 'a-b': 'x' }, [nowMs, 1])),
      status: 204,
      defect: /a-b/,
    },
    {
      name: 'an empty label value, which is no label',
      request: writeOf(timeSeries({ __name__: 'hollow', a: '' }, [nowMs, 1])),
      status: 204,
      defect: /no value/,
    },
    {
      name: 'an empty label name',
      request: writeOf(timeSeries({ __name__: 'anonymous', '': 'x' }, [nowMs, 1])),
      status: 204,
      defect: /label name ""/,
    },
    {
      name: 'a label twice',
      request: writeOf(one('beside_twice'), timeSeries(twice('1', '2'), [nowMs, 1])),
      status: 500,
    },
    { name: 'a label twice with one value', request: writeOf(timeSeries(twice('1', '1'), [nowMs, 1])), status: 500 },
    {
      name: 'labels in another order, which the server mends',
      request: writeOf(
        timeSeries(
          [
            { name: 'job', value: 'x' },
            { name: '__name__', value: 'shuffled' },
          ],
          [nowMs, 1],
        ),
      ),
      status: 204,
      defect: /not sorted/,
    },
    {
      name: 'a label that is no UTF-8',
      request: body(snappyOf(encodedWith('latin', nowMs))),
      status: 204,
      defect: /no UTF-8/,
    },
    {
      name: 'a Windows path',
      request: writeOf(timeSeries({ __name__: 'path', v: 'C:\\Backup\\' }, [nowMs, 1])),
      status: 204,
    },

    // order within a request
    {
      name: 'unsorted samples: one is lost without a window',
      request: writeOf(timeSeries(of('unsorted'), [nowMs, 1], [nowMs - MINUTE_MS, 2])),
      status: 204,
      defect: /not sorted/,
    },
    {
      name: 'two samples at one time: the first one counts',
      request: writeOf(timeSeries(of('double'), [nowMs, 1], [nowMs, 2])),
      status: 204,
      defect: /not sorted/,
    },
    {
      name: 'a series twice, the second earlier',
      request: writeOf(one('split'), timeSeries(of('split'), [nowMs - 1000, 2])),
      status: 204,
      defect: /not sorted/,
    },

    // values
    {
      name: 'infinities',
      request: writeOf(timeSeries(of('infinite'), [nowMs - 1, Infinity], [nowMs, -Infinity])),
      status: 204,
    },
    {
      name: 'a stale marker',
      request: writeOf(timeSeries(of('stale'), [nowMs - 1, 1], [nowMs, STALE_NAN_BITS])),
      status: 204,
    },
    { name: 'the stale marker again', request: writeOf(timeSeries(of('stale'), [nowMs, STALE_NAN_BITS])), status: 204 },
    {
      name: 'an ordinary NaN where the stale marker is held',
      request: writeOf(timeSeries(of('stale'), [nowMs, NORMAL_NAN_BITS])),
      status: 400,
    },
    {
      name: 'an ordinary NaN',
      request: writeOf(timeSeries(of('not_a_number'), [nowMs, NORMAL_NAN_BITS])),
      status: 204,
      defect: /no stale marker/,
    },
    {
      name: 'the NaN of a JavaScript number',
      request: writeOf(timeSeries(of('not_a_number_js'), [nowMs, bitsOf(Number.NaN)])),
      status: 204,
      defect: /no stale marker/,
    },

    // age
    { name: 'a new series 59 min old', request: writeOf(timeSeries(of('old_59'), [at(59), 1])), status: 204 },
    {
      name: 'a new series 61 min old',
      request: writeOf(timeSeries(of('old_61'), [at(61), 1])),
      status: 400,
      windowStatus: 204,
    },
    {
      name: 'a new series 119 min old',
      request: writeOf(timeSeries(of('old_119'), [at(119), 1])),
      status: 400,
      windowStatus: 204,
    },
    {
      name: 'a new series 121 min old',
      request: writeOf(timeSeries(of('old_121'), [at(121), 1])),
      status: 400,
      windowStatus: 500,
    },
    {
      name: 'a good series beside a 3 h old one: nothing stored',
      request: writeOf(one('beside_old'), timeSeries(of('old_181'), [at(181), 1])),
      status: 400,
      windowStatus: 500,
    },
    {
      name: 'seconds for milliseconds',
      request: writeOf(timeSeries(of('seconds'), [Math.floor(nowMs / 1000), 1])),
      status: 400,
      windowStatus: 500,
    },
    { name: 'ten minutes ahead', request: writeOf(timeSeries(of('ahead'), [nowMs + 10 * MINUTE_MS, 1])), status: 204 },
    { name: 'now, after that', request: writeOf(one('after_ahead')), status: 204 },
    { name: 'a day ahead', request: writeOf(timeSeries(of('day_ahead'), [nowMs + 1440 * MINUTE_MS, 1])), status: 204 },
    {
      name: 'now, after that: one fast clock shuts everyone out',
      request: writeOf(one('after_day_ahead')),
      status: 400,
      windowStatus: 500,
    },
  ]
}

const twice = (first: string, second: string) => [
  { name: '__name__', value: 'twice' },
  { name: 'a', value: first },
  { name: 'a', value: second },
]

/** A request whose label value is the single byte 0xff. */
function encodedWith(metric: string, atMs: number): Uint8Array {
  const bytes = protobufOf(timeSeries({ __name__: metric, v: '\u0001' }, [atMs, 1]))
  return bytes.map((byte, index) => (byte === 1 && bytes[index - 1] === 1 && bytes[index - 2] === 0x12 ? 0xff : byte))
}
