import * as z from 'zod'
import { METRICS } from '../../shared/metrics.ts'
import { encodeMetadata, encodeWriteRequest } from '../codec/remote-write.ts'
import { snappy } from '../codec/snappy.ts'
import { rejected, suspended, tooOld } from './classify.ts'
import { basicHeader, basicPassword, basicUser, checkBasic, headerToken } from './credentials.ts'
import { extraHeaders } from './extra-headers.ts'
import { allowHttp, checkTransport, httpUrl, jobLabel, refuseField, USER_AGENT } from './settings.ts'
import type { OutboundRequest, Reply, SinkDefinition } from './sink.ts'
import { collectSeries } from './time-series.ts'

/** A year: nothing waits that long on either side. */
const MAX_WINDOW_MINUTES = 366 * 24 * 60

const settings = z
  .strictObject({
    /** With or without the API path. */
    url: httpUrl,
    user: basicUser.optional(),
    password: basicPassword.optional(),
    bearerToken: headerToken.optional(),
    headers: extraHeaders.optional(),
    job: jobLabel,
    /**
     * How far behind the newest sample that it has taken the store takes another; 55 when absent, as Prometheus and
     * Grafana Cloud take an hour. VictoriaMetrics takes any age.
     */
    windowMinutes: z.int().min(1).max(MAX_WINDOW_MINUTES).optional(),
    allowHttp,
  })
  .superRefine(checkTransport)
  .superRefine(checkBasic)
  .superRefine((value, context) => {
    if (value.user !== undefined && value.bearerToken !== undefined)
      refuseField(context, 'bearerToken', 'give a user and password or a bearer token, not both')
  })

type Settings = z.output<typeof settings>

/** Prometheus remote write 1.0: Grafana Cloud, Mimir, Prometheus, VictoriaMetrics. */
export const remoteWrite: SinkDefinition<typeof settings> = {
  kind: 'remote-write',
  title: 'Prometheus',
  carries: 'metrics',
  settings,
  secretFields: ['password', 'bearerToken', 'headers'],
  takes: 'all',
  strictOrder: true,
  windowMs: ({ windowMinutes = 55 }) => windowMinutes * 60_000,

  encode(batches, value): OutboundRequest | undefined {
    const series = collectSeries(batches, value.job)
    if (series.length === 0) return undefined
    const metadata = batches.some(batch => batch.source === 'relay') ? CATALOGUE : undefined
    return {
      method: 'POST',
      url: endpoint(value.url),
      headers: requestHeaders(value),
      body: snappy(encodeWriteRequest(series, metadata)),
      samples: series.reduce((sum, one) => sum + one.samples.length, 0),
    }
  },

  classify(reply: Reply) {
    // Prometheus 2.42 says 500 to what is beyond its out-of-order window, later ones 400.
    if (reply.status === 500) return TOO_OLD.test(reply.body) ? tooOld(reply) : undefined
    if (reply.status !== 400 && reply.status !== 409) return undefined
    if (TENANT_LIMIT.test(reply.body)) return suspended(reply)
    return TOO_OLD.test(reply.body) ? tooOld(reply) : rejected(reply, HELD_ALREADY.test(reply.body))
  },
}

/** Prometheus 2.42, "out of order sample" and "duplicate sample for timestamp"; Mimir's ids; Thanos answers 409. */
const HELD_ALREADY = /out[ -]of[ -]order[ -]sample|sample[ -]out[ -]of[ -]order|duplicate[ -](sample|timestamp)/i

/** Prometheus, "out of bounds" and "too old sample"; Mimir's id. Never said of what is held. */
const TOO_OLD = /out of bounds|too old sample|sample[ -]timestamp[ -]too[ -]old/i

/** Limits that no other batch of this tenant passes either (Mimir pkg/util/globalerror, Cortex' words). */
const TENANT_LIMIT =
  /err-mimir-(max-(series|metadata)-per-(user|metric)|max-active-series|tenant-)|per-(user|metric) series limit/

/** TYPE and HELP of the catalogue: Prometheus sends them once a minute, the relay with its own tick. */
const CATALOGUE = encodeMetadata(METRICS)

/** Grafana Cloud shows its address as `/api/prom` too, which is the one for queries. Any other path is as it was given. */
function endpoint(url: string): string {
  const parsed = new URL(url)
  const path = parsed.pathname.replace(/\/+$/, '')
  const cloud = /(^|\.)grafana\.net$/.test(parsed.hostname)
  if (cloud && (path === '' || path === '/api/prom')) parsed.pathname = '/api/prom/push'
  else parsed.pathname = path === '' ? '/api/v1/write' : path
  return parsed.href
}

function requestHeaders(value: Settings): Record<string, string> {
  return {
    ...value.headers,
    ...basicHeader(value),
    ...(value.bearerToken !== undefined && { authorization: `Bearer ${value.bearerToken}` }),
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
    'user-agent': USER_AGENT,
  }
}
