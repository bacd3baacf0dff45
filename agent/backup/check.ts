import type { BackupConfig, HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import type { Clock } from '../clock.ts'
import type { StatePaths } from '../config.ts'
import { driveKind } from '../windows/network-share.ts'
import { type Credentials, credentialFor, openCredentials, shareOf } from './credentials.ts'
import type { FindingCode } from './finding.ts'
import { isWatched } from './known.ts'
import { readRecollection } from './ledger.ts'
import { openMemories } from './memory.ts'
import { type LookDeps, type Watch, watchesOf } from './watch.ts'
import { systemLookDeps } from './watching.ts'
import { sourceOf } from './wording.ts'

/** What a check can find beyond what a look can. Stable: `doctor` words them in two languages. */
export type CheckCode =
  | FindingCode
  /** Nothing there, and nothing due. */
  | 'none'
  /** A program tells of it, and did; `never_reported`: has not yet. */
  | 'reported'
  | 'never_reported'
  /** A directory without a pattern is not watched: it only names a volume. */
  | 'pattern_missing'
  /** A drive letter of this session: the service runs as LocalSystem, which has none of them. Name the UNC path. */
  | 'mapped_drive'
  | 'drive_absent'
  /** It cannot be reached, and no user name is kept for its file server. */
  | 'share_no_credential'

export interface BackupCheck {
  readonly name: string
  readonly source: BackupReport['source']
  readonly code: CheckCode
  /** In English, with the numbers and names of the case; absent when the code says it all. */
  readonly words: string | null
  /** The newest backup file, or what was looked at. */
  readonly file: string | null
  /** What is configured: a directory, a status file, a server and database. */
  readonly place: string | null
  /** Absent (null) where nothing is read. */
  readonly isReachable: boolean | null
  /** What was reported last, by whom it may be. */
  readonly last: Pick<BackupReport, 'state' | 'source' | 'reason' | 'completedAtMs'> | null
}

export interface CheckOptions {
  readonly paths: Pick<StatePaths, 'backups' | 'credentials'>
  readonly clock: Clock
  /** In place of this machine's own. */
  readonly deps?: LookDeps
  readonly drive?: typeof driveKind
}

/**
 * Looks at every configured backup once, beside an agent that may run, and changes nothing. What would need a second
 * look (a growing file) is taken as it is, and no file is read whole. Takes as long as the slowest place: bound it.
 */
export async function checkBackups(config: HostConfig, options: CheckOptions): Promise<BackupCheck[]> {
  const halt = new AbortController()
  const credentials = openCredentials(options.paths.credentials)
  const deps = options.deps ?? systemLookDeps(credentials, options.clock, halt.signal)
  const drive = options.drive ?? (process.platform === 'win32' ? driveKind : () => 'local' as const)
  const checks = (config.backups ?? []).map(async backup => {
    if (!isWatched(backup)) return [checkReported(backup, options)]
    const watches = watchesOf({ backups: [{ ...backup, integrity: false }] }, deps)
    return await Promise.all(watches.map(watch => checkWatch(watch, credentials, drive, options)))
  })
  return (await Promise.all(checks)).flat().map(check => ({ ...check, words: check.words ?? null }))
}

type LooseCheck = Omit<BackupCheck, 'words'> & { readonly words?: string | null | undefined }

function checkReported(backup: BackupConfig, { paths }: CheckOptions): LooseCheck {
  const last = lastOf(paths.backups, backup.name)
  const code = last ? 'reported' : backup.directory === undefined ? 'never_reported' : 'pattern_missing'
  const place = backup.directory ?? null
  return {
    name: backup.name,
    source: last?.source ?? sourceOf(backup),
    code,
    file: null,
    place,
    isReachable: null,
    last,
  }
}

async function checkWatch(
  { key, backup, source, look }: Watch,
  credentials: Credentials,
  drive: typeof driveKind,
  { paths }: CheckOptions,
): Promise<LooseCheck> {
  const place = placeOf(backup, source)
  const base = { name: backup.name, source, place, file: null, last: lastOf(paths.backups, backup.name) }
  const root = source === 'mssql' ? undefined : /^[a-z]:/i.exec(place)?.[0]
  const kind = root === undefined ? 'local' : drive(`${root}\\`)
  if (kind !== 'local')
    return { ...base, code: kind === 'mapped' ? 'mapped_drive' : 'drive_absent', isReachable: false }
  const recollection = readRecollection(paths.backups, backup.name)
  const first = await look(openMemories(paths.backups).of(key), recollection)
  const { finding } = first.finding ? first : await look(first.memory, recollection)
  if (!finding) return { ...base, code: 'none', isReachable: true }
  const isReachable = !UNREACHABLE.has(finding.code)
  const needsCredential = !isReachable && shareOf(place) !== undefined && !credentialFor(credentials, place)
  const code = needsCredential && process.platform === 'win32' ? 'share_no_credential' : finding.code
  return { ...base, code, words: finding.words, file: finding.file ?? null, isReachable }
}

const UNREACHABLE: ReadonlySet<CheckCode> = new Set<CheckCode>([
  'unreachable',
  'unreadable',
  'sqlcmd_missing',
  'sql_login_failed',
  'sql_denied',
  'sql_unreachable',
  'sql_timeout',
])

function placeOf({ directory, statusFile, mssql }: BackupConfig, source: BackupReport['source']): string {
  if (source === 'status-file') return statusFile ?? ''
  return source === 'mssql' ? `${mssql?.server ?? '.'}/${mssql?.database}` : (directory ?? '')
}

function lastOf(directory: string, name: string): BackupCheck['last'] {
  const report = readRecollection(directory, name).known?.stored.report
  if (!report) return null
  const { state, source, reason, completedAtMs } = report
  return { state, source, reason, completedAtMs }
}
