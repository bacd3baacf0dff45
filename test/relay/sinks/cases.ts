import { gunzipSync } from 'node:zlib'
import { uncompressSync } from 'snappy'
import type { SinkKind } from '../../../relay/sinks/index.ts'
import type { OutboundRequest } from '../../../relay/sinks/sink.ts'
import type { Outcome } from '../../../shared/outcome.ts'
import { decodeWriteRequest, STALE_NAN_BITS, type WriteRequest } from '../../support/stand-ins/remote-write-message.ts'
import { type Held, readExposition, readLineProtocol } from '../../support/text-formats.ts'

type Expected = Outcome['kind'] | 'rejected, already held' | 'rejected, too old'

/** A row of the contract suite: what it must know of a sink that the sink itself cannot say. */
export interface SinkCase {
  readonly settings: Readonly<Record<string, unknown>>
  /** As planted in `settings`. */
  readonly secrets: readonly string[]
  /** The body as a person can read it, by a decoder that is not ours. */
  read(request: OutboundRequest): string
  /** What the backend would hold. */
  held(request: OutboundRequest): Held[]
  /** Identity labels that the backend gets by another way than the body. */
  readonly identity: Readonly<Record<string, string>>
  readonly outcomes: readonly (readonly [status: number, body: string, expected: Expected])[]
}

/** RFC 9110's table, the same for every sink. */
const COMMON: SinkCase['outcomes'] = [
  [200, '', 'delivered'],
  [202, '', 'delivered'],
  [204, '', 'delivered'],
  [200, '<!DOCTYPE html><html><title>Sign in</title></html>', 'suspended'],
  [301, '', 'suspended'],
  [302, '<html>moved</html>', 'suspended'],
  [307, '', 'suspended'],
  [401, 'Unauthorized', 'suspended'],
  [402, 'payment required', 'suspended'],
  [403, 'Forbidden', 'suspended'],
  [404, '404 page not found', 'suspended'],
  [405, 'Method Not Allowed', 'suspended'],
  [407, '', 'suspended'],
  [408, '', 'retry'],
  [410, '', 'suspended'],
  [411, '', 'rejected'],
  [413, 'Request Entity Too Large', 'rejected'],
  [415, '', 'rejected'],
  [429, 'too many requests', 'retry'],
  [500, 'internal error', 'retry'],
  [502, '<html>Bad Gateway</html>', 'retry'],
  [503, '', 'retry'],
  [504, '', 'retry'],
  [529, '', 'retry'],
]

/** Words of the real servers, one line each. */
const MIMIR = {
  outOfOrder:
    'failed pushing to ingester: user=1: the sample has been rejected because another sample with a more recent timestamp has already been ingested and out-of-order samples are not allowed (err-mimir-sample-out-of-order). The affected sample has timestamp 2026-11-23T08:45:00Z and is from series onec_cpu_percent',
  duplicate:
    'failed pushing to ingester: user=1: the sample has been rejected because another sample with the same timestamp, but a different value, has already been ingested (err-mimir-sample-duplicate-timestamp).',
  tooOld:
    'the sample has been rejected because another sample with a more recent timestamp has already been ingested and this sample is beyond the out-of-order time window of 2h (err-mimir-sample-timestamp-too-old).',
  future: 'received a sample whose timestamp is too far in the future (err-mimir-too-far-in-future).',
  maxSeries:
    'failed pushing to ingester: user=1: per-user series limit of 10000 exceeded (err-mimir-max-series-per-user). To adjust the related per-tenant limit, configure -ingester.max-global-series-per-user, or contact your service administrator.',
  haClusters: 'too many HA clusters (limit: 100) (err-mimir-tenant-too-many-ha-clusters).',
  duplicateLabels: 'received a series with duplicate label name (err-mimir-duplicate-label-names).',
  oversize: 'received message larger than max (err-mimir-distributor-max-write-message-size)',
}

function bodyText(request: OutboundRequest): string {
  return typeof request.body === 'string' ? request.body : gunzipSync(request.body ?? new Uint8Array()).toString()
}

function writeRequest(request: OutboundRequest): WriteRequest {
  return decodeWriteRequest(uncompressSync(Buffer.from(request.body as Uint8Array), { asBuffer: true }) as Buffer)
}

function writeRequestText(request: OutboundRequest): string {
  const { timeseries, metadata } = writeRequest(request)
  return [
    ...timeseries.map(({ labels, samples }) =>
      [
        `{${labels.map(({ name, value }) => `${name}=${JSON.stringify(value)}`).join(', ')}}`,
        ...samples.map(({ bits, atMs }) => `  ${bits === STALE_NAN_BITS ? 'stale' : numberOf(bits)} @ ${atMs}`),
      ].join('\n'),
    ),
    ...metadata.map(({ type, metric, help }) => `metadata ${type === 1 ? 'counter' : 'gauge'} ${metric}: ${help}`),
  ].join('\n')
}

function writeRequestHeld(request: OutboundRequest): Held[] {
  return writeRequest(request).timeseries.flatMap(({ labels, samples }) => {
    const { __name__: name = '', ...rest } = Object.fromEntries(labels.map(label => [label.name, label.value]))
    return samples.map(({ bits, atMs }) => ({ name, labels: rest, value: numberOf(bits), atMs }))
  })
}

function numberOf(bits: bigint): number {
  const cell = new DataView(new ArrayBuffer(8))
  cell.setBigUint64(0, bits)
  return cell.getFloat64(0)
}

interface LokiPush {
  readonly streams: readonly {
    readonly stream: Record<string, string>
    readonly values: readonly (readonly [string, string, Record<string, string>?])[]
  }[]
}

function lokiHeld(request: OutboundRequest): Held[] {
  const { streams } = JSON.parse(bodyText(request)) as LokiPush
  return streams.flatMap(({ stream, values }) =>
    values.map(([time, line, fields]) => ({
      name: line,
      labels: { ...stream, ...fields },
      value: 1,
      atMs: Number(BigInt(time) / 1_000_000n),
    })),
  )
}

export const CASES: Readonly<Record<SinkKind, SinkCase>> = {
  'remote-write': {
    settings: {
      url: 'https://prometheus-prod-01.grafana.net/api/prom/push',
      user: '123456',
      password: 'glc_пароль-4711',
      headers: { 'X-Scope-OrgID': 'orgid-8f31c2' },
    },
    secrets: ['glc_пароль-4711', 'orgid-8f31c2'],
    read: writeRequestText,
    held: writeRequestHeld,
    identity: {},
    outcomes: [
      ...COMMON,
      [400, 'out of order sample', 'rejected, already held'],
      [400, 'duplicate sample for timestamp', 'rejected, already held'],
      [400, 'out of bounds', 'rejected, too old'],
      [400, 'too old sample', 'rejected, too old'],
      [500, 'too old sample', 'rejected, too old'],
      [400, 'label name "host" is not unique: invalid sample', 'rejected'],
      [400, 'snappy: corrupt input', 'rejected'],
      [400, MIMIR.outOfOrder, 'rejected, already held'],
      [400, MIMIR.duplicate, 'rejected, already held'],
      [400, MIMIR.tooOld, 'rejected, too old'],
      [400, MIMIR.future, 'rejected'],
      [400, MIMIR.duplicateLabels, 'rejected'],
      [400, MIMIR.oversize, 'rejected'],
      [400, MIMIR.maxSeries, 'suspended'],
      [400, MIMIR.haClusters, 'suspended'],
      [429, MIMIR.maxSeries, 'retry'],
      [409, 'add 45 samples: out of order sample', 'rejected, already held'],
      [404, 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver', 'suspended'],
      [422, '', 'rejected'],
    ],
  },
  pushgateway: {
    settings: { url: 'https://push.example:9091/', user: 'pusher', password: 'пароль-4712' },
    secrets: ['пароль-4712'],
    read: bodyText,
    held: request => readExposition(bodyText(request)),
    identity: { tenant: 'ООО Ромашка', instance: 'БУХ-1С', job: 'onec_backup_bot' },
    outcomes: [
      ...COMMON,
      [400, 'pushed metrics are invalid or inconsistent with existing metrics: collected metric "x"', 'rejected'],
      [400, 'text format parsing error in line 1: unknown metric type "x"', 'rejected'],
    ],
  },
  influxdb: {
    settings: {
      url: 'https://influx.example:8086',
      token: 'influx-token-4713',
      org: 'моя org',
      bucket: 'onec_metrics',
    },
    secrets: ['influx-token-4713'],
    read: bodyText,
    held: request => readLineProtocol(bodyText(request)),
    identity: {},
    outcomes: [
      ...COMMON,
      [400, '{"code":"invalid","message":"unable to parse \'cpu value=\': missing field value"}', 'rejected'],
      [400, '{"error":"partial write: field type conflict: input field \\"x\\" dropped=1"}', 'partial'],
      [422, '{"message":"failure writing points to database: partial write: field type conflict"}', 'partial'],
      [422, '{"code":"unprocessable entity"}', 'rejected'],
      [404, '{"code":"not found","message":"bucket \\"x\\" not found"}', 'suspended'],
    ],
  },
  loki: {
    settings: { url: 'https://logs-prod-01.grafana.net', user: '654321', password: 'глк-4714', tenantId: 'team-a' },
    secrets: ['глк-4714'],
    read: request => JSON.stringify(JSON.parse(bodyText(request)), null, 2),
    held: lokiHeld,
    identity: {},
    outcomes: [
      ...COMMON,
      [260, 'ingestion blocked for user', 'suspended'],
      [400, 'entry for stream has timestamp too new', 'partial'],
      [400, 'entry too far behind, entry timestamp is: 2026-11-23T07:00:00Z', 'partial'],
      [401, 'no org id', 'suspended'],
      [422, '', 'rejected'],
    ],
  },
}
