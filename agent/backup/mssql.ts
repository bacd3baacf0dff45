import type { BackupConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { lastMissed, localTime } from './due.ts'
import type { Finding } from './finding.ts'
import type { Recollection } from './ledger.ts'
import { isFailure, type SqlBackup, type SqlFailure } from './sqlcmd.ts'
import { FUTURE_TOLERANCE_MS, judgeSize } from './verdict.ts'
import type { Look, LookDeps } from './watch.ts'

/** What SQL Server's history can say, and the state that it means. */
export const SQL_CODES = {
  sql_ok: 'ok',
  /** Its schedule passed and there is no backup: the history is complete, so this is a failure. */
  sql_missed: 'failed',
  sql_damaged: 'failed',
  sqlcmd_missing: 'unknown',
  sql_login_failed: 'unknown',
  sql_denied: 'unknown',
  sql_unreachable: 'unknown',
  sql_timeout: 'unknown',
  sql_unreadable: 'unknown',
} as const satisfies Record<string, BackupReport['state']>
export type SqlCode = keyof typeof SQL_CODES

/** This machine's default instance. */
export const DEFAULT_SERVER = '.'

export function sqlLook(backup: BackupConfig, server: string, database: string, deps: LookDeps): Look {
  return async (memory, recollection) => {
    const { history, askedAtMs } = await deps.sqlHistory(server)
    const finding = judgeHistory(history, database, backup, recollection, askedAtMs)
    return finding ? { finding, memory } : { memory }
  }
}

/** What the newest full backup of a database meant when the server was asked; absent while none was made and none was due. */
export function judgeHistory(
  history: ReadonlyMap<string, SqlBackup> | SqlFailure,
  database: string,
  backup: BackupConfig,
  { known, expectedSinceMs }: Recollection,
  askedAtMs: number,
): Finding | undefined {
  if (isFailure(history)) return { ...history, key: '' }
  const newest = history.get(database.toLowerCase())
  const missedAtMs = lastMissed(backup, newest?.completedAtMs ?? expectedSinceMs ?? askedAtMs, askedAtMs)
  const isTold = newest === undefined || newest.completedAtMs <= (known?.completed?.atMs ?? 0)
  if (missedAtMs !== undefined && isTold) return missedFinding(missedAtMs, database, newest)
  return newest && newestFinding(newest, backup, known?.goodSizes ?? [], askedAtMs)
}

function missedFinding(missedAtMs: number, database: string, newest: SqlBackup | undefined): Finding {
  const last = newest ? `the last one ended at ${localTime(newest.completedAtMs)}` : 'there has never been one'
  const words = `no full backup of ${database} by ${localTime(missedAtMs)}; ${last}`
  return { code: 'sql_missed', words, key: String(missedAtMs), run: { completedAtMs: missedAtMs } }
}

function newestFinding(newest: SqlBackup, backup: BackupConfig, goodSizes: readonly number[], nowMs: number): Finding {
  const { isDamaged, ...run } = newest
  const key = String(newest.completedAtMs)
  if (newest.completedAtMs > nowMs + FUTURE_TOLERANCE_MS)
    return {
      code: 'future',
      words: `the server says that it ended at ${localTime(newest.completedAtMs)}: set the clock`,
      key,
    }
  if (isDamaged) return { code: 'sql_damaged', words: 'the server marked it as damaged when it was made', key, run }
  const small = judgeSize(newest.sizeBytes, backup, goodSizes)
  if (small) return { ...small, key, run }
  return { code: 'sql_ok', key, run: { ...run, durationMs: Math.max(run.completedAtMs - run.startedAtMs, 0) } }
}
