import * as z from 'zod'
import type { Entry } from '../../shared/wire.ts'
import { gzip } from '../codec/gzip.ts'
import { partial, suspended } from './classify.ts'
import { basicHeader, basicPassword, basicUser, checkBasic } from './credentials.ts'
import { allowHttp, apiUrl, checkNoQuery, checkTransport, httpUrl, jobLabel, USER_AGENT } from './settings.ts'
import type { Batch, OutboundRequest, Reply, SinkDefinition } from './sink.ts'

const settings = z
  .strictObject({
    /** With or without the API path. */
    url: httpUrl,
    user: basicUser.optional(),
    password: basicPassword.optional(),
    /** `X-Scope-OrgID` of a multi-tenant Loki of one's own; Grafana Cloud goes by the user. */
    tenantId: z
      .string()
      .regex(/^[A-Za-z0-9!_.*'()-]{1,150}$/, "a Loki tenant id has letters, digits and ! - _ . * ' ( ) only")
      .optional(),
    job: jobLabel,
    allowHttp,
  })
  .superRefine(checkTransport)
  .superRefine(checkNoQuery)
  .superRefine(checkBasic)

type Settings = z.output<typeof settings>

/** Loki's reject_old_samples_max_age is 7 days; an hour of it for the way and for clocks. */
const WINDOW_MS = (7 * 24 - 1) * 3_600_000

/** Grafana Loki's push API, JSON. */
export const loki: SinkDefinition<typeof settings> = {
  kind: 'loki',
  title: 'Loki',
  carries: 'log entries',
  settings,
  secretFields: ['password'],
  takes: 'all',
  windowMs: () => WINDOW_MS,

  encode(batches, value): OutboundRequest | undefined {
    const streams = collectStreams(batches, value.job)
    if (streams.length === 0) return undefined
    return {
      method: 'POST',
      url: apiUrl(value.url, /\/loki\/api\/v1\/push$/, '/loki/api/v1/push'),
      headers: requestHeaders(value),
      body: gzip(JSON.stringify({ streams: streams.map(writeStream) })),
      samples: streams.reduce((sum, { entries }) => sum + entries.length, 0),
    }
  },

  classify(reply: Reply) {
    // The valid entries are stored all the same, and the others never will be.
    if (reply.status === 400) return partial(reply)
    // "Ingestion blocked" (Loki's block_ingestion_until): a success only in its number.
    if (reply.status === 260) return suspended(reply)
    return undefined
  },
}

interface Stream {
  readonly labels: Readonly<Record<string, string>>
  readonly entries: Entry[]
}

/**
 * One stream per host and level, in order of time. What the relay says of a host has a stream of its own
 * (`source="relay"`): Loki refuses what is 1 h behind its stream's newest entry, so it would make a backlog too old.
 */
function collectStreams(batches: readonly Batch[], defaultJob: string): Stream[] {
  const streams = new Map<string, Stream>()
  for (const batch of batches) {
    for (const entry of batch.entries) {
      const labels = {
        job: batch.job ?? defaultJob,
        host: batch.host.name,
        level: entry.level,
        tenant: batch.tenant.name,
        ...(batch.source === 'relay' && { source: 'relay' }),
      }
      const key = JSON.stringify(labels)
      const stream = streams.get(key)
      if (stream) stream.entries.push(entry)
      else streams.set(key, { labels, entries: [entry] })
    }
  }
  return [...streams.values()]
}

function writeStream({ labels, entries }: Stream): object {
  return { stream: labels, values: entries.toSorted((a, b) => a.atMs - b.atMs).map(writeEntry) }
}

/** Nanoseconds as text: as a number they would lose their last digits. Fields become structured metadata. */
function writeEntry({ atMs, message, fields }: Entry): (string | Record<string, string>)[] {
  const time = `${atMs}000000`
  return fields === undefined ? [time, message] : [time, message, fields]
}

function requestHeaders(value: Settings): Record<string, string> {
  return {
    ...basicHeader(value),
    ...(value.tenantId !== undefined && { 'x-scope-orgid': value.tenantId }),
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'user-agent': USER_AGENT,
  }
}
