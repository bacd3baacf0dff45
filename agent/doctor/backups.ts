import type { BackupReport } from '../../shared/wire.ts'
import type { BackupCheck } from '../backup/check.ts'
import { stateOf } from '../backup/finding.ts'
import { reasonOf } from '../backup/wording.ts'
import { type Finding, finding, worstOf } from './finding.ts'

/** The account of the service, by which SQL Server lets it in. */
const SERVICE_LOGIN = 'NT AUTHORITY\\SYSTEM'

/** What is known of a state, whoever tells it. */
type Told = Pick<BackupReport, 'name' | 'state' | 'source' | 'reason' | 'completedAtMs'>

/**
 * Every backup that is configured (`checks`, a look from here) or that the agent told of (`told`, the view of the
 * service: it has another account than whoever runs `doctor`). `uncOf` names the share behind a mapped drive.
 */
export function judgeBackups(
  checks: readonly BackupCheck[],
  told: readonly Told[],
  uncOf: (place: string) => string | undefined = () => undefined,
): Finding[] {
  const names = [...new Set([...checks, ...told].map(({ name }) => name))]
  if (names.length === 0) return [finding('backup.none')]
  return names.flatMap(name => {
    const own = checks.filter(check => check.name === name)
    const report = told.find(each => each.name === name)
    return judgeBackup(own, report, uncOf)
  })
}

/** A place that is wrong says why; that its backup is not known then says nothing more. */
function judgeBackup(
  checks: readonly BackupCheck[],
  report: Told | undefined,
  uncOf: (place: string) => string | undefined,
): Finding[] {
  const misplaced = checks.flatMap(check => judgePlace(check, uncOf) ?? [])
  const reported = report && judgeTold(report, serverIn(checks))
  const looked = checks.filter(check => judgePlace(check, uncOf) === undefined).map(check => judgeLook(check, report))
  const trouble = [...(reported ? [reported] : []), ...looked].find(each => each.severity === worst(reported, looked))
  if (misplaced.length === 0) return trouble ? [trouble] : []
  return [...misplaced, ...(trouble?.severity === 'error' ? [trouble] : [])]
}

const worst = (reported: Finding | undefined, looked: readonly Finding[]) =>
  worstOf([...(reported ? [reported] : []), ...looked])

function serverIn(checks: readonly BackupCheck[]): string {
  return checks.find(({ source }) => source === 'mssql')?.place?.split('/')[0] || '.'
}

/** Absent where the place is as it should be. */
function judgePlace(
  { name, code, place, words }: BackupCheck,
  uncOf: (place: string) => string | undefined,
): Finding | undefined {
  const directory = place ?? '?'
  const params = { name, directory, reason: words ?? code }
  switch (code) {
    case 'pattern_missing':
      return finding('backup.not_watched', { name, directory })
    case 'mapped_drive':
      return finding('backup.mapped_drive', { name, directory, unc: uncOf(directory) ?? '\\\\SERVER\\SHARE' })
    case 'drive_absent':
      return finding('backup.drive_missing', { name, directory })
    case 'share_no_credential':
      return finding('backup.share_denied', params)
    case 'unreachable':
    case 'unreadable':
      return finding('backup.directory', params)
    default:
      return undefined
  }
}

function judgeLook(check: BackupCheck, report: Told | undefined): Finding {
  const { name, source, code, words, last } = check
  const before = report ?? (last && { name, ...last })
  switch (code) {
    case 'none':
    case 'reported':
    case 'never_reported':
      return before ? judgeTold(before, '.') : finding('backup.unknown', { name, reason: 'none_yet: -' })
    case 'pattern_missing':
    case 'mapped_drive':
    case 'drive_absent':
    case 'share_no_credential':
      throw new Error(`${code} is of the place`)
    default: {
      const reason = reasonOf(code, words ?? '-')
      const completedAtMs = before?.completedAtMs ?? null
      return judgeTold({ name, source, state: stateOf(code), reason, completedAtMs }, serverIn([check]))
    }
  }
}

function judgeTold({ name, state, source, completedAtMs, ...told }: Told, server: string): Finding {
  const reason = told.reason ?? '?'
  const code = reason.slice(0, reason.indexOf(':'))
  if (code === 'sqlcmd_missing') return finding('backup.sqlcmd_missing', { name })
  if (code === 'sql_login_failed') return finding('backup.sql_login', { name, server, reason, login: SERVICE_LOGIN })
  if (/^sql_(denied|unreachable|timeout|unreadable)$/.test(code))
    return finding('backup.sql_failed', { name, server, reason })
  if (state === 'ok' || state === 'unchanged')
    return finding('backup.good', { name, source, completedAtMs: completedAtMs ?? '?' })
  return state === 'running'
    ? finding('backup.running', { name, source })
    : finding(`backup.${state}`, { name, reason })
}
