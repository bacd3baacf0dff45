import type { BackupConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import type { StoredReport } from './inbox.ts'
import { dueOf, statement } from './known.ts'
import type { Recollection } from './ledger.ts'
import { SQL_CODES, type SqlCode } from './mssql.ts'
import { STATUS_CODES, type StatusCode } from './status-file.ts'
import { FUTURE_TOLERANCE_MS, VERDICTS, type VerdictCode } from './verdict.ts'
import { reasonOf } from './wording.ts'

export type FindingCode = VerdictCode | SqlCode | StatusCode

/** What one look at a watched backup found. */
export interface Finding {
  readonly code: FindingCode
  readonly words?: string | undefined
  /** Tells one run from another: the same key is the same run. */
  readonly key: string
  readonly file?: string
  /** Of the completed run that it speaks of. */
  readonly run?: Partial<Pick<BackupReport, 'startedAtMs' | 'completedAtMs' | 'sizeBytes' | 'durationMs'>>
}

const STATES: Readonly<Record<FindingCode, BackupReport['state']>> = { ...VERDICTS, ...SQL_CODES, ...STATUS_CODES }
export const stateOf = (code: FindingCode): BackupReport['state'] => STATES[code]

/** The best source first (see README). `report` is somebody's word, as `run` is. */
const RANK: Readonly<Record<BackupReport['source'], number>> = {
  run: 0,
  report: 0,
  'status-file': 1,
  mssql: 2,
  directory: 3,
}

/** File systems store times in steps of up to two seconds (FAT). */
const TIME_STEP_MS = 2_000

export interface FindingContext {
  readonly backup: BackupConfig
  readonly source: BackupReport['source']
  readonly recollection: Recollection
  /** {@link toldKey} of the last report of this source. */
  readonly told: string | undefined
  readonly nowMs: number
}

export const toldKey = ({ code, key }: Finding): string => `${code}|${key}`

/** The report of what a look found; absent when it says nothing new, or when a better source knows better. */
export function reportFor(finding: Finding, context: FindingContext): StoredReport | undefined {
  const { backup, source, recollection, told, nowMs } = context
  const newest = recollection.known?.stored.report
  const state = stateOf(finding.code)
  const isRepeated = told === toldKey(finding)
  if ((isRepeated || state === 'running') && newest?.source === source && newest.state === state) return undefined
  // A lower source has spoken since (it makes the next one, its file is damaged), and the better one knew nothing of it.
  if (isRepeated && newest && RANK[source] < RANK[newest.source]) return undefined
  if (state === 'late' && !isLate(finding.code, context)) return undefined
  if (isOutranked(finding, context) || isOvertaken(finding, context)) return undefined
  const reason = finding.words === undefined ? null : reasonOf(finding.code, finding.words)
  const empty = { ...statement(backup.name, state, source, ''), reason }
  const isCompleted = state === 'ok' || state === 'unchanged' || state === 'failed'
  const completedAtMs = finding.run?.completedAtMs ?? nowMs
  const run = isCompleted ? { ...finding.run, completedAtMs: stamp(completedAtMs, state, recollection) } : {}
  return { atMs: nowMs, report: { ...empty, ...run }, ...(finding.file !== undefined && { file: finding.file }) }
}

/** A failure already says that the backup is missing; and a better source may have seen a newer one. */
function isLate(
  code: FindingCode,
  { backup, recollection: { known, expectedSinceMs }, nowMs }: FindingContext,
): boolean {
  const state = known?.stored.report.state
  if (state === 'late' || state === 'failed') return false
  if (code === 'too_old' && (known?.lastGoodAtMs ?? null) === null) return true
  const due = dueOf(known, backup, expectedSinceMs)
  return due === null || nowMs >= due
}

function isOutranked(finding: Finding, { source, recollection: { known } }: FindingContext): boolean {
  const newest = known?.stored.report
  if (!known || !newest || RANK[newest.source] >= RANK[source]) return false
  const state = stateOf(finding.code)
  if (state === 'late') return newest.state === 'running'
  if (newest.state === 'running' || state === 'unknown') return true
  const completedAtMs = finding.run?.completedAtMs
  const at = known.completed?.atMs
  // A file server's clock may be ahead: what a better source calls a failure is none because of its own file.
  const aheadMs = newest.state === 'failed' && state !== 'failed' ? FUTURE_TOLERANCE_MS : TIME_STEP_MS
  if (at === undefined || completedAtMs == null || completedAtMs > at + aheadMs) return false
  // A program that ended with 0 does not know what its file has become.
  const isItsFile = newest.startedAtMs !== null && completedAtMs >= newest.startedAtMs - TIME_STEP_MS
  return !(state === 'failed' && newest.state === 'ok' && isItsFile)
}

/**
 * A relay tells runs apart by their completion and takes only later ones, so that another verdict on the same file
 * (a smaller least size, a hole found later) is told a millisecond later than the verdict that it replaces.
 */
function stamp(completedAtMs: number, state: BackupReport['state'], { known }: Recollection): number {
  const last = known?.completed
  if (!last || last.state === state || completedAtMs > last.atMs) return completedAtMs
  return state === 'failed' || isSameRun(completedAtMs, last.atMs) ? last.atMs + 1 : completedAtMs
}

/** But for the milliseconds that verdicts on it have added. */
const isSameRun = (completedAtMs: number, lastAtMs: number): boolean => lastAtMs - completedAtMs < 1_000

/** The file of a failed run was taken away, and the good one before it is the newest again: that run still failed. */
function isOvertaken(finding: Finding, { recollection: { known } }: FindingContext): boolean {
  const last = known?.completed
  const completedAtMs = finding.run?.completedAtMs
  if (known?.stored.report.state !== 'failed' || !last || completedAtMs == null) return false
  const state = stateOf(finding.code)
  return (state === 'ok' || state === 'unchanged') && completedAtMs < last.atMs && !isSameRun(completedAtMs, last.atMs)
}
