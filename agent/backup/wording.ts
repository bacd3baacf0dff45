import type { BackupConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { localTime } from './due.ts'

/** Reasons begin with a code that stays the same; the words behind it are for a person. */
export const reasonOf = (code: string, words: string): string => `${code}: ${words}`.slice(0, 500)

export const NONE_YET = 'none_yet: no backup has been seen yet'

export const lateReason = (dueMs: number): string =>
  reasonOf('late', `no good backup by ${localTime(dueMs)}, local time of the host`)

/** The best source that a configuration names; what nothing watches reports itself. */
export function sourceOf({ directory, pattern, statusFile, mssql }: BackupConfig): BackupReport['source'] {
  if (statusFile !== undefined) return 'status-file'
  if (mssql !== undefined) return 'mssql'
  return directory !== undefined && pattern !== undefined ? 'directory' : 'report'
}
