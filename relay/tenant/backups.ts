import type { BackupReport, Series } from '../../shared/wire.ts'
import type { BatchItem } from './row.ts'

/** What is remembered of one backup of one host. Absent: never heard of. */
export interface BackupMemory {
  readonly state: BackupReport['state']
  readonly source: BackupReport['source']
  readonly reason: string | null
  /** Of the last completed run: 1 good, 0 failed. */
  readonly status: 0 | 1 | null
  /** End of the last completed run, good or not. */
  readonly completedAtMs: number | null
  /**
   * The same as the host's clock had it, where that is another: what a repeated report is recognised by, however the
   * clock was corrected since.
   */
  readonly reportedAtMs?: number
  readonly goodAtMs: number | null
  readonly goodSizeBytes: number | null
  readonly durationMs: number | null
  readonly dueAtMs: number | null
  /** Completed runs by result. */
  readonly runs: Readonly<Record<string, number>>
}

const RIGHT_CLOCK = { receivedAtMs: Number.POSITIVE_INFINITY }

const NEVER: BackupMemory = {
  state: 'unknown',
  source: 'report',
  reason: null,
  status: null,
  completedAtMs: null,
  goodAtMs: null,
  goodSizeBytes: null,
  durationMs: null,
  dueAtMs: null,
  runs: {},
}

/**
 * The memory after a report. Only a completed run moves what is known of runs: a failure sets the status to 0 and
 * leaves time and size at the last good one, a running one changes nothing of them. The same completed run reported
 * again (a directory watcher says it every minute) counts once. A wrong clock
 * of the host (see `offsetMs` of its batch) is taken off the report's times; no run is over before it is reported.
 */
export function applyReport(
  before: BackupMemory | undefined,
  report: BackupReport,
  { receivedAtMs, offsetMs = 0 }: Pick<BatchItem, 'receivedAtMs' | 'offsetMs'> = RIGHT_CLOCK,
): BackupMemory {
  const old = before ?? NEVER
  const dueAtMs = report.dueAtMs === null ? null : report.dueAtMs - offsetMs
  const said = { state: report.state, source: report.source, reason: report.reason, dueAtMs }
  const completed = report.state === 'ok' || report.state === 'failed' || report.state === 'unchanged'
  if (!completed || report.completedAtMs === null) return { ...old, ...said }
  const completedAtMs = Math.min(report.completedAtMs - offsetMs, receivedAtMs)
  const isKnown = report.completedAtMs === (old.reportedAtMs ?? old.completedAtMs)
  if (isKnown || completedAtMs <= (old.completedAtMs ?? 0)) return { ...old, ...said }
  const good = report.state === 'ok'
  return {
    ...said,
    status: report.state === 'failed' ? 0 : 1,
    completedAtMs,
    ...(report.completedAtMs !== completedAtMs && { reportedAtMs: report.completedAtMs }),
    goodAtMs: good ? completedAtMs : old.goodAtMs,
    goodSizeBytes: good ? (report.sizeBytes ?? old.goodSizeBytes) : old.goodSizeBytes,
    durationMs: report.durationMs ?? old.durationMs,
    runs: { ...old.runs, [report.state]: (old.runs[report.state] ?? 0) + 1 },
  }
}

/** The series of a host's backups. What is not known has no series. */
export function backupSeries(backups: ReadonlyMap<string, BackupMemory>): Series[] {
  const series: Series[] = []
  for (const [backup, memory] of backups) {
    const add = (name: string, value: number | null, extra?: Record<string, string>) => {
      if (value !== null) series.push({ name, labels: { backup, ...extra }, value })
    }
    add('onec_backup_status', memory.status)
    add('onec_backup_timestamp', seconds(memory.goodAtMs))
    add('onec_backup_size_bytes', memory.goodSizeBytes)
    add('onec_backup_duration_seconds', seconds(memory.durationMs))
    add('onec_backup_due_timestamp_seconds', seconds(memory.dueAtMs))
    for (const [result, count] of Object.entries(memory.runs)) add('onec_backup_runs_total', count, { result })
  }
  return series
}

const seconds = (ms: number | null) => (ms === null ? null : ms / 1000)
