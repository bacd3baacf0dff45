import * as z from 'zod'
import { gzip } from '../codec/gzip.ts'
import { encodeField, encodeTags, escapeMeasurement } from '../codec/line-protocol.ts'
import { partial, rejected } from './classify.ts'
import { basicHeader, basicPassword, basicUser, checkBasic, headerToken } from './credentials.ts'
import { mergeLabels } from './labels.ts'
import {
  allowHttp,
  apiUrl,
  checkNoQuery,
  checkTransport,
  httpUrl,
  nameText,
  refuseField,
  USER_AGENT,
} from './settings.ts'
import type { Batch, OutboundRequest, Reply, SinkDefinition } from './sink.ts'

const FIELDS_OF_V2 = ['token', 'org', 'bucket'] as const
const FIELDS_OF_V1 = ['db', 'user', 'password'] as const

const settings = z
  .strictObject({
    /** With or without the API path. */
    url: httpUrl,
    api: z.enum(['v2', 'v1']).default('v2'),
    token: headerToken.optional(),
    org: nameText.optional(),
    bucket: nameText.optional(),
    db: nameText.optional(),
    user: basicUser.optional(),
    password: basicPassword.optional(),
    /**
     * As in the seed guide. VictoriaMetrics names series `measurement_field`: `onec` gives `onec_cpu_percent` there, as
     * remote write does.
     */
    measurement: nameText
      .regex(/^[^#\\]/, 'begin it with a letter: # would make the line a comment')
      .default('system_metrics'),
    allowHttp,
  })
  .superRefine(checkTransport)
  .superRefine(checkNoQuery)
  .superRefine(checkBasic)
  .superRefine((value, context) => {
    for (const field of value.api === 'v2' ? FIELDS_OF_V1 : FIELDS_OF_V2)
      if (value[field] !== undefined) refuseField(context, field, `"${field}" is not of API ${value.api}; leave it out`)
    // InfluxDB itself asks for all three; VictoriaMetrics, which takes the same writes, for none of them.
    const needed =
      value.api === 'v1' ? (['db'] as const) : value.token === undefined ? [] : (['org', 'bucket'] as const)
    for (const field of needed)
      if (value[field] === undefined) refuseField(context, field, `InfluxDB's API ${value.api} needs "${field}"`)
  })

type Settings = z.output<typeof settings>

/** InfluxDB's line protocol over its v2 or v1 write API; VictoriaMetrics takes both. */
export const influxdb: SinkDefinition<typeof settings> = {
  kind: 'influxdb',
  title: 'InfluxDB',
  carries: 'metrics',
  settings,
  secretFields: ['token', 'password'],
  takes: 'all',

  encode(batches, value): OutboundRequest | undefined {
    const measurement = escapeMeasurement(value.measurement)
    const points = batches.flatMap(batch => batchPoints(batch, measurement))
    if (points.length === 0) return undefined
    return {
      method: 'POST',
      url: endpoint(value),
      headers: requestHeaders(value),
      body: gzip(points.map(writePoint).join('')),
      samples: points.reduce((sum, point) => sum + point.fields.size, 0),
    }
  },

  /** "partial write": the rest was stored, and every further attempt would end the same. */
  classify(reply: Reply) {
    if (reply.status !== 400 && reply.status !== 422) return undefined
    return /partial write/i.test(reply.body) ? partial(reply) : rejected(reply)
  },
}

/** A line: what one host, or one volume on it, read at one time. */
interface Point {
  /** Measurement and tags, escaped. */
  readonly series: string
  readonly fields: Map<string, number>
  readonly atMs: number
}

/** Tags are `host`, `tenant`, the series' own labels and the host's static ones. */
function batchPoints(batch: Batch, measurement: string): Point[] {
  const identity = { host: batch.host.name, tenant: batch.tenant.name }
  const plain = measurement + encodeTags(mergeLabels(batch, identity))
  return batch.snapshots.flatMap(({ atMs, metrics, series }) => {
    const points = new Map<string, Point>()
    const add = (key: string, name: string, value: number) => {
      if (!Number.isFinite(value)) return
      const point = points.get(key)
      if (point) point.fields.set(name, value)
      else points.set(key, { series: key, fields: new Map([[name, value]]), atMs })
    }
    for (const [name, value] of Object.entries(metrics)) add(plain, name, value)
    for (const { name, labels, value } of series ?? [])
      add(measurement + encodeTags(mergeLabels(batch, identity, labels)), name, value)
    return [...points.values()]
  })
}

function writePoint({ series, fields, atMs }: Point): string {
  let text = ''
  for (const [name, value] of fields) text += `${text === '' ? ' ' : ','}${encodeField(fieldKey(name), value)}`
  return `${series}${text} ${atMs}\n`
}

/** The seed's `cpu_percent` for `onec_cpu_percent`: the measurement says whose it is. */
function fieldKey(metric: string): string {
  return metric.startsWith('onec_') ? metric.slice(5) : metric
}

function endpoint(value: Settings): string {
  const query = new URLSearchParams({
    ...(value.org !== undefined && { org: value.org }),
    ...(value.bucket !== undefined && { bucket: value.bucket }),
    ...(value.db !== undefined && { db: value.db }),
    precision: 'ms',
  })
  const path = value.api === 'v2' ? '/api/v2/write' : '/write'
  return `${apiUrl(value.url, /(\/api\/v2)?\/write$/, path)}?${query}`
}

function requestHeaders(value: Settings): Record<string, string> {
  return {
    ...basicHeader(value),
    ...(value.token !== undefined && { authorization: `Token ${value.token}` }),
    'content-type': 'text/plain; charset=utf-8',
    'content-encoding': 'gzip',
    'user-agent': USER_AGENT,
  }
}
