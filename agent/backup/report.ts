import type { HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { UserError } from '../error.ts'
import { findBackupFile, sizeProblem } from './file.ts'
import type { StoredReport } from './inbox.ts'

/** What a script says of a backup that it made itself. */
export interface GivenReport {
  readonly name: string
  readonly state: BackupReport['state']
  readonly reason?: string | undefined
  readonly sizeBytes?: number | undefined
  readonly durationMs?: number | undefined
  /** Path or glob of the backup: its newest file gives the size. */
  readonly file?: string | undefined
}

/** Fails with a UserError when a file is named and none is there, unless the report is of a failure anyway. */
export async function buildReport(given: GivenReport, config: HostConfig, nowMs: number): Promise<StoredReport> {
  const file = given.file === undefined ? undefined : await findBackupFile(given.file, 0)
  if (given.file !== undefined && !file && given.state === 'ok')
    throw new UserError(`No file matches ${given.file}. Name the backup's file, or report --state failed.`)
  const sizeBytes = given.sizeBytes ?? file?.sizeBytes ?? null
  const small = given.state === 'ok' && sizeBytes !== null ? sizeProblem(sizeBytes, config, given.name) : undefined
  const { durationMs = null } = given
  const report: BackupReport = {
    name: given.name,
    state: small === undefined ? given.state : 'failed',
    source: 'report',
    reason: given.reason ?? small ?? null,
    startedAtMs: durationMs === null ? null : nowMs - durationMs,
    completedAtMs: given.state === 'running' ? null : nowMs,
    sizeBytes,
    durationMs,
    dueAtMs: null,
  }
  return { atMs: nowMs, report, ...(file && { file: file.path }) }
}
