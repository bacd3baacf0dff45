import * as z from 'zod'
import { displayName, hostConfig, RESERVED_LABELS } from './host-config.ts'
import { metricOf } from './metrics.ts'
import type { ProblemCode } from './problem.ts'

/**
 * The wire between agent and relay: `POST /v1/batches`, JSON, gzip, `Authorization: Bearer <host token>`. Agents in the
 * field are slow to update, so fields are only ever added, and unknown keys are ignored at both ends.
 *
 * Times are epoch milliseconds of the clock that the name says; sizes are bytes; durations are milliseconds.
 */
export const WIRE_VERSION = 1

/** Limits of one batch; each is answered with a problem of its own. An exchange should stay under 16 KB with TLS. */
export const LIMITS = {
  compressedBytes: 64 * 1024,
  inflatedBytes: 256 * 1024,
  snapshots: 120,
  seriesPerSnapshot: 300,
  entries: 500,
  entryBytes: 64 * 1024,
  backups: 50,
} as const

/** 96 random bits as base64url: a batch's or a spool's id. */
export const randomId = z.string().regex(/^[A-Za-z0-9_-]{16}$/)

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,127}$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/
const LABEL_VALUE = /^[^\p{Cc}\p{Cs}]{1,1024}$/u

/** 2020-01-01 to 2100-01-01: outside, a clock is not set at all. */
const epochMs = z.int().min(1_577_836_800_000).max(4_102_444_800_000)
const count = z.int().min(0)
const text = (max: number) => z.string().max(max)

/** An issue that answers with a problem code of its own. */
const refuse = (code: ProblemCode, message: string) => ({ message, params: { code } })

const metricName = z.string().superRefine((name, context) => {
  if (!METRIC_NAME.test(name))
    context.addIssue({ code: 'custom', ...refuse('metric_name_invalid', `"${name.slice(0, 64)}" is no metric name`) })
  else if (metricOf(name)?.origin === 'relay')
    context.addIssue({ code: 'custom', ...refuse('metric_name_reserved', `${name} is derived by the relay`) })
})

const labels = z.record(z.string(), z.string()).superRefine((value, context) => {
  const names = Object.keys(value)
  if (names.length > 10) context.addIssue({ code: 'custom', ...refuse('label_invalid', 'more than 10 labels') })
  for (const name of names) {
    if (RESERVED_LABELS.has(name) || name.startsWith('__'))
      context.addIssue({ code: 'custom', ...refuse('label_reserved', `label "${name}" is set by the relay`) })
    else if (!LABEL_NAME.test(name) || !LABEL_VALUE.test(value[name] ?? ''))
      context.addIssue({ code: 'custom', ...refuse('label_invalid', `label "${name.slice(0, 64)}" or its value`) })
  }
})

/** One series with labels of its own, for what is more than one per host. */
export const seriesSchema = z.object({ name: metricName, labels, value: z.number() })

export const snapshotSchema = z.object({
  /** When it was taken, by the host's clock. */
  atMs: epochMs,
  /** Monotonic clock of the host at that moment, since its boot. */
  monoMs: z.number().min(0),
  metrics: z.record(metricName, z.number()),
  series: z.array(seriesSchema).optional(),
})

export const BACKUP_STATES = ['ok', 'unchanged', 'late', 'failed', 'running', 'unknown'] as const
export const BACKUP_SOURCES = ['run', 'report', 'status-file', 'mssql', 'directory'] as const

export const backupReport = z.object({
  name: displayName,
  state: z.enum(BACKUP_STATES),
  source: z.enum(BACKUP_SOURCES),
  /** Why it is in that state, for a person; null when there is nothing to say. */
  reason: text(500).nullable(),
  startedAtMs: epochMs.nullable(),
  /** End of the run that this report speaks of; null while it runs, or when none ever did. */
  completedAtMs: epochMs.nullable(),
  sizeBytes: count.nullable(),
  durationMs: count.nullable(),
  /** When the next good one is due at the latest; null without a schedule. */
  dueAtMs: epochMs.nullable(),
})

export const ENTRY_LEVELS = ['debug', 'info', 'warn', 'error'] as const

export const entrySchema = z.object({
  atMs: epochMs,
  level: z.enum(ENTRY_LEVELS),
  message: z.string().min(1),
  /** Details for structured metadata: flat, never labels. */
  fields: z
    .record(z.string().regex(LABEL_NAME), text(1024))
    .refine(fields => Object.keys(fields).length <= 20)
    .optional(),
})

export const agentSchema = z.object({
  version: text(32),
  os: text(128),
  hostname: text(255),
  intervalMs: z.int().min(1000).max(3_600_000),
  bootId: text(64),
})

export const spoolSchema = z.object({
  /** Changes when the spool is made anew. */
  id: randomId,
  pendingBatches: count,
  oldestAtMs: epochMs.nullable(),
  /** Since the spool was made: snapshots dropped by its bounds. */
  droppedSnapshots: count,
})

export const batchSchema = z.object({
  v: z.literal(WIRE_VERSION),
  /** Random, persisted before the first attempt: what a re-send repeats. */
  id: randomId,
  /** Contiguous per spool: shows gaps, is never a reason to refuse. */
  seq: count,
  /** Set at each attempt, never spooled: gives the clock's skew. */
  sentAtMs: epochMs,
  agent: agentSchema,
  snapshots: z.array(snapshotSchema),
  backups: z.array(backupReport).max(LIMITS.backups).optional(),
  entries: z.array(entrySchema).optional(),
  spool: spoolSchema,
})

export type WireBatch = z.output<typeof batchSchema>
export type Snapshot = z.output<typeof snapshotSchema>
export type Series = z.output<typeof seriesSchema>
export type Entry = z.output<typeof entrySchema>
export type BackupReport = z.output<typeof backupReport>

export type BatchReading =
  | { readonly ok: true; readonly batch: WireBatch }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string }

/**
 * A decoded JSON body as a batch, or the one problem to answer: the limits first (they bound the work of the rest),
 * then the first thing that the schema finds.
 */
export function readBatch(body: unknown): BatchReading {
  const bad = (code: ProblemCode, detail: string): BatchReading => ({ ok: false, code, detail })
  const raw = body as { v?: unknown; snapshots?: unknown; entries?: unknown } | null
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return bad('batch_invalid', 'Expected an object.')
  if (raw.v !== WIRE_VERSION)
    return bad('version_unsupported', `This relay reads wire version ${WIRE_VERSION}. Update the agent or the relay.`)
  const over = overLimit(raw.snapshots, raw.entries)
  if (over) return bad(...over)
  const parsed = batchSchema.safeParse(body)
  if (parsed.success) return { ok: true, batch: parsed.data }
  return bad(...firstProblem(parsed.error))
}

function overLimit(snapshots: unknown, entries: unknown): [ProblemCode, string] | undefined {
  if (Array.isArray(snapshots)) {
    if (snapshots.length > LIMITS.snapshots)
      return ['too_many_snapshots', `${snapshots.length} snapshots; at most ${LIMITS.snapshots} a batch.`]
    for (const snapshot of snapshots) {
      const found = seriesCount(snapshot)
      if (found > LIMITS.seriesPerSnapshot)
        return ['too_many_series', `${found} series in a snapshot; at most ${LIMITS.seriesPerSnapshot}.`]
    }
  }
  if (Array.isArray(entries)) {
    if (entries.length > LIMITS.entries)
      return ['too_many_entries', `${entries.length} entries; at most ${LIMITS.entries} a batch.`]
    for (const entry of entries) {
      const message: unknown = entry?.message
      // A UTF-16 unit is at most three bytes of UTF-8; count only what could be over.
      if (
        typeof message === 'string' &&
        message.length * 3 > LIMITS.entryBytes &&
        utf8Length(message) > LIMITS.entryBytes
      )
        return ['entry_too_long', `An entry's line is over ${LIMITS.entryBytes} bytes.`]
    }
  }
  return undefined
}

function seriesCount(snapshot: unknown): number {
  const { metrics, series } = (snapshot ?? {}) as { metrics?: unknown; series?: unknown }
  return (
    (typeof metrics === 'object' && metrics !== null ? Object.keys(metrics).length : 0) +
    (Array.isArray(series) ? series.length : 0)
  )
}

/** Bytes of `text` as UTF-8 (a lone surrogate counts as the three bytes of U+FFFD, which replaces it). */
export function utf8Length(text: string): number {
  let bytes = 0
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}

/** The first issue of a zod error as a problem code and a sentence that names the place. */
function firstProblem(error: z.ZodError): [ProblemCode, string] {
  const [issue] = error.issues
  if (!issue) return ['batch_invalid', 'The batch does not follow the schema.']
  // A record wraps what is wrong with a key; the reason is inside.
  const inner = issue.code === 'invalid_key' ? issue.issues[0] : issue
  const place = issue.path.map(String).join('.').slice(0, 120)
  const code = inner?.code === 'custom' ? (inner.params?.code as ProblemCode | undefined) : undefined
  if (code) return [code, `${inner?.message} (at ${place}).`]
  const value = issue.path.at(-2) === 'metrics' || issue.path.at(-1) === 'value'
  if (value && issue.path.includes('snapshots') && (issue.code === 'invalid_type' || issue.code === 'too_big'))
    return ['value_not_finite', `A metric's value is a finite number; leave an unknown one out (at ${place}).`]
  return ['batch_invalid', `${issue.message} (at ${place || 'the top'}).`]
}

/** An agent that reached no relay, or was told to come again, tries within this, whatever the number of failures. */
export const AGENT_RETRY_MAX_MS = 2 * 60_000

/** Longest time ahead that a post is granted: one and a half of the longest interval fit. */
export const MAX_GRANT_MS = 2 * 3_600_000

/** The answer to an accepted batch, at most 200 bytes. */
export const ackSchema = z.object({
  id: randomId,
  status: z.enum(['stored', 'duplicate']),
  /** Milliseconds until the next post, to be counted on a monotonic clock. */
  nextInMs: z.number().min(0).max(MAX_GRANT_MS),
  /** Revision of the host's configuration: when it moved, `GET /v1/config`. */
  config: count,
})
export type Ack = z.output<typeof ackSchema>

export const enrolRequest = z.object({
  code: z.string().min(8).max(128),
  /** The machine's own name; `name` is what people call the host, the same when absent. */
  hostname: displayName,
  name: displayName.optional(),
  os: text(128),
  version: text(32),
  /** Stable per installed machine: the same one, under the same hostname, enrolling again is the same host. */
  machineId: z.string().min(8).max(128),
})
export type EnrolRequest = z.output<typeof enrolRequest>

export const enrolReply = z.object({
  hostId: z.string(),
  token: z.string(),
  /** Relay URLs that serve this host, best first; empty: the one that it enrolled at. */
  routes: z.array(z.url()),
  config: z.object({ revision: count, config: hostConfig }),
})
export type EnrolReply = z.output<typeof enrolReply>

/** `GET /v1/config`. */
export const configReply = z.object({ revision: count, config: hostConfig })
export type ConfigReply = z.output<typeof configReply>
