import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { UserError } from '../error.ts'
import { findBackupFile } from './file.ts'
import type { StoredReport } from './inbox.ts'
import { backupOf } from './known.ts'
import { FUTURE_TOLERANCE_MS, judgeSize } from './verdict.ts'
import { reasonOf } from './wording.ts'

/** What a script says of a backup that it made itself. */
export interface GivenReport {
  readonly name: string
  readonly state: BackupReport['state']
  readonly reason?: string | undefined
  readonly sizeBytes?: number | undefined
  readonly durationMs?: number | undefined
  /** Epoch milliseconds; its end is now where it is not given. */
  readonly startedAtMs?: number | undefined
  readonly completedAtMs?: number | undefined
  /** Path or glob of the backup: its newest file gives the size. */
  readonly file?: string | undefined
}

/** Fails with a UserError when a file is named and none is there, unless the report is of a failure anyway. */
export async function buildReport(given: GivenReport, config: HostConfig, nowMs: number): Promise<StoredReport> {
  const file = given.file === undefined ? undefined : await findBackupFile(given.file, 0)
  if (given.file !== undefined && !file && given.state === 'ok')
    throw new UserError(`No file matches ${given.file}. Name the backup's file, or report --state failed.`)
  const sizeBytes = given.sizeBytes ?? file?.sizeBytes ?? null
  const small =
    given.state === 'ok' && sizeBytes !== null
      ? judgeSize(sizeBytes, backupOf(config, given.name) ?? { name: given.name }, [])
      : undefined
  const completedAtMs = given.completedAtMs ?? nowMs
  if (completedAtMs > nowMs + FUTURE_TOLERANCE_MS)
    throw new UserError('The backup is said to end in the future. Check --completed: without a zone it is local time.')
  const { startedAtMs = given.durationMs === undefined ? null : completedAtMs - given.durationMs } = given
  const ended = given.state !== 'running'
  if (ended && startedAtMs !== null && startedAtMs > completedAtMs)
    throw new UserError('The backup is said to have started after it ended. Check --started and --completed.')
  const tookMs = ended && startedAtMs !== null ? completedAtMs - startedAtMs : null
  const report: BackupReport = {
    name: given.name,
    state: small === undefined ? given.state : 'failed',
    source: 'report',
    reason: small ? reasonOf(small.code, small.words) : (given.reason ?? null),
    startedAtMs,
    completedAtMs: ended ? completedAtMs : null,
    sizeBytes,
    durationMs: given.durationMs ?? tookMs,
    dueAtMs: null,
  }
  return { atMs: nowMs, report, ...(file && { file: file.path }) }
}
