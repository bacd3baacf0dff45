import * as z from 'zod'
import { metricOf } from '../../shared/metrics.ts'
import type { Snapshot } from '../../shared/wire.ts'
import { base64Url } from '../codec/base64.ts'
import { remember } from '../codec/bounded-cache.ts'
import { type ExpositionSeries, encodeExposition, encodeHeader, encodeLabels } from '../codec/exposition.ts'
import { basicHeader, basicPassword, basicUser, checkBasic } from './credentials.ts'
import { mergeLabels, sortLabels } from './labels.ts'
import { allowHttp, apiUrl, checkNoQuery, checkTransport, httpUrl, jobLabel, USER_AGENT } from './settings.ts'
import type { Batch, OutboundRequest, SinkDefinition } from './sink.ts'

const settings = z
  .strictObject({
    /** With or without `/metrics`. */
    url: httpUrl,
    user: basicUser.optional(),
    password: basicPassword.optional(),
    job: jobLabel,
    allowHttp,
  })
  .superRefine(checkTransport)
  .superRefine(checkNoQuery)
  .superRefine(checkBasic)

/** Most HELP and TYPE lines remembered: the catalogue's and as many names that it does not know. */
const MAX_REMEMBERED = 512

const headerOf = remember(MAX_REMEMBERED, name => encodeHeader(name, metricOf(name)))

type Settings = z.output<typeof settings>

/** Prometheus Pushgateway: one group a host, replaced whole by each push, deleted when the host is removed. */
export const pushgateway: SinkDefinition<typeof settings> = {
  kind: 'pushgateway',
  title: 'Pushgateway',
  carries: 'metrics',
  settings,
  secretFields: ['password'],
  takes: 'newest',

  encode(batches, value): OutboundRequest | undefined {
    const last = batches.at(-1)
    if (!last) return undefined
    checkOneHost(batches)
    const current = batches.slice(batches.findLastIndex(batch => batch.removed) + 1)
    const series = newestSeries(current)
    if (series.length > 0) return { method: 'PUT', ...requestTo(last, value), ...bodyOf(series) }
    if (last.removed) return { method: 'DELETE', ...requestTo(last, value), body: null, samples: 0 }
    return undefined
  },
}

/** Whoever delivers gives one host at a time; a second one would be lost without a word. */
function checkOneHost(batches: readonly Batch[]): void {
  const hosts = new Set(batches.map(({ tenant, host, job }) => JSON.stringify([tenant.id, host.id, job])))
  if (hosts.size > 1) throw new Error(`A Pushgateway request carries one group, not ${hosts.size}.`)
}

/** The newest snapshot of the agent, then the newest of the relay: of a series that both have, the relay's stays. */
function newestSeries(batches: readonly Batch[]): ExpositionSeries[] {
  return (['agent', 'relay'] as const).flatMap(source => {
    const own = batches.filter(batch => batch.source === source)
    const newestAtMs = Math.max(...own.flatMap(batch => batch.snapshots.map(({ atMs }) => atMs)))
    return own.flatMap(batch =>
      batch.snapshots.filter(({ atMs }) => atMs === newestAtMs).flatMap(snapshot => snapshotSeries(batch, snapshot)),
    )
  })
}

/** Without the identity, which is the group's: a Pushgateway puts the path's labels over those of the body. */
function snapshotSeries(batch: Batch, snapshot: Snapshot): ExpositionSeries[] {
  const found: ExpositionSeries[] = []
  const add = (name: string, labels: string, value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) found.push({ name, labels, value })
  }
  const plain = encodeLabels(sortLabels(mergeLabels(batch, {})))
  for (const name of Object.keys(snapshot.metrics)) add(name, plain, snapshot.metrics[name])
  for (const { name, labels, value } of snapshot.series ?? [])
    add(name, encodeLabels(sortLabels(mergeLabels(batch, {}, labels))), value)
  return found
}

function bodyOf(series: readonly ExpositionSeries[]): Pick<OutboundRequest, 'body' | 'samples'> {
  const { text, samples } = encodeExposition(series, headerOf)
  return { body: text, samples }
}

function requestTo(batch: Batch, value: Settings): Pick<OutboundRequest, 'url' | 'headers'> {
  const job = batch.job ?? value.job
  const path = `${jobSegment(job)}/tenant@base64/${base64Url(batch.tenant.name)}/instance@base64/${base64Url(batch.host.name)}`
  return {
    url: apiUrl(value.url, /\/metrics(\/job\/.*)?$/, `/metrics/${path}`),
    headers: {
      ...basicHeader(value),
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'user-agent': USER_AGENT,
    },
  }
}

/** Readable where it can be: `%2F` is a 400, and anything but plain ASCII is at a proxy's mercy. */
function jobSegment(job: string): string {
  return /^[\w-][\w.-]*$/.test(job) ? `job/${job}` : `job@base64/${base64Url(job)}`
}
