import type { BackupReport } from '../../shared/wire.ts'
import { type Finding, finding } from './finding.ts'

/** What the place of one backup looks like from here. */
export interface PlaceFacts {
  readonly directory: string
  /** What its drive letter stands for; absent without one. */
  readonly drive?: 'mapped' | 'absent' | 'local'
  /** UNC path of a mapped drive; absent when it cannot be told. */
  readonly unc?: string | undefined
  /** System's code when it cannot be listed; absent when it can. */
  readonly reason?: string
}

export interface BackupFacts {
  readonly name: string
  readonly place?: PlaceFacts | undefined
  /** Name of the SQL Server whose history is asked; absent without one. */
  readonly server?: string | undefined
  /** As the agent last told the relay; absent when it has told nothing yet. */
  readonly report?: BackupReport | undefined
}

/** The account of the service, by which SQL Server lets it in. */
const SERVICE_LOGIN = 'NT AUTHORITY\\SYSTEM'

/** Every backup that is configured or was reported. */
export function judgeBackups(backups: readonly BackupFacts[]): Finding[] {
  return backups.length > 0 ? backups.flatMap(judgeBackup) : [finding('backup.none')]
}

function judgeBackup(facts: BackupFacts): Finding[] {
  const { name, place, report } = facts
  const placeTrouble = place && judgePlace(name, place)
  const state = report ? judgeReport(facts, report) : undefined
  // A place that cannot be read says why; that its backup is not known then says nothing more.
  if (placeTrouble && state?.severity !== 'error') return [placeTrouble]
  return [...(placeTrouble ? [placeTrouble] : []), state ?? unseen(name)]
}

const unseen = (name: string): Finding => finding('backup.unknown', { name, reason: 'none_yet: nothing was seen yet' })

function judgePlace(name: string, { directory, drive, unc, reason }: PlaceFacts): Finding | undefined {
  if (drive === 'mapped') return finding('backup.mapped_drive', { name, directory, unc: unc ?? '\\\\SERVER\\SHARE' })
  if (drive === 'absent') return finding('backup.drive_missing', { name, directory })
  if (reason === undefined) return undefined
  const denied = /^(\\\\|\/\/)/.test(directory) && /^(EACCES|EPERM|UNKNOWN)/.test(reason)
  return finding(denied ? 'backup.share_denied' : 'backup.directory', { name, directory, reason })
}

function judgeReport({ name, server = '.' }: BackupFacts, report: BackupReport): Finding {
  const { state, source, completedAtMs, sizeBytes } = report
  const reason = report.reason ?? '?'
  const code = reason.slice(0, reason.indexOf(':'))
  if (code === 'sqlcmd_missing') return finding('backup.sqlcmd_missing', { name })
  if (code === 'sql_login_failed') return finding('backup.sql_login', { name, server, reason, login: SERVICE_LOGIN })
  if (/^sql_(denied|unreachable|timeout|unreadable)$/.test(code))
    return finding('backup.sql_failed', { name, server, reason })
  switch (state) {
    case 'ok':
    case 'unchanged':
      return completedAtMs === null
        ? finding('backup.unknown', { name, reason })
        : finding('backup.good', { name, source, completedAtMs, sizeBytes: sizeBytes ?? '?' })
    case 'running':
      return finding('backup.running', { name, source })
    default:
      return finding(`backup.${state}`, { name, reason })
  }
}
