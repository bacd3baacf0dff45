import { execFile } from 'node:child_process'
import { systemCode } from '../error.ts'
import type { SqlCode } from './mssql.ts'
import { decodeText } from './text.ts'

/** The newest full backup of one database, times in epoch milliseconds. */
export interface SqlBackup {
  readonly startedAtMs: number
  readonly completedAtMs: number
  readonly sizeBytes: number
  readonly isDamaged: boolean
}

export interface SqlFailure {
  readonly code: SqlCode
  readonly words: string
}

export type SqlHistory = ReadonlyMap<string, SqlBackup> | SqlFailure
export const isFailure = (history: SqlHistory): history is SqlFailure => 'code' in history

/** A login that the server itself knows; without one Windows' own account is used. */
export interface SqlLogin {
  readonly user: string
  readonly password: string
}

const ROW = 'ONEC_ROW'
const END = 'ONEC_END'

/** The server's clock knows no zone: its present distance from UTC is taken off. */
const utc = (column: string) =>
  `CONVERT(varchar(19), DATEADD(minute, DATEDIFF(minute, GETDATE(), GETUTCDATE()), ${column}), 126)`

/**
 * The newest full backup of every database that this server made itself: copy-only ones are nobody's schedule, and a
 * restore writes the history of another server too. Names travel as hexadecimal UTF-16, so that neither a separator nor
 * a code page can spoil them; for SQL Server from 2008 on.
 */
export const HISTORY_QUERY = [
  'SET NOCOUNT ON;',
  `SELECT '${ROW}|' + CONVERT(varchar(512), CONVERT(varbinary(256), database_name), 2)`,
  `+ '|' + ${utc('backup_start_date')} + '|' + ${utc('backup_finish_date')}`,
  "+ '|' + CONVERT(varchar(20), COALESCE(compressed_backup_size, backup_size, 0))",
  "+ '|' + CONVERT(varchar(1), COALESCE(is_damaged, 0))",
  'FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY database_name ORDER BY backup_finish_date DESC, backup_set_id DESC)',
  "AS place FROM msdb.dbo.backupset WHERE type = 'D' AND is_copy_only = 0 AND backup_finish_date IS NOT NULL",
  "AND server_name IN (@@SERVERNAME, CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')))) AS newest WHERE place = 1;",
  `SELECT '${END}';`,
].join(' ')

const LOGIN_TIMEOUT_S = 15
const QUERY_TIMEOUT_S = 30
const KILL_AFTER_MS = 60_000
const MAX_OUTPUT_BYTES = 4 << 20

/** A password is never among these: it goes by the environment. */
export function sqlcmdArguments(server: string, login: SqlLogin | undefined): string[] {
  const who = login ? ['-U', login.user] : ['-E']
  // Today's drivers want a certificate that they trust, and an instance makes its own. Here nobody is in between.
  const trust = isLocalServer(server) ? ['-C'] : []
  const limits = ['-l', String(LOGIN_TIMEOUT_S), '-t', String(QUERY_TIMEOUT_S)]
  return [
    '-S',
    server,
    ...who,
    ...trust,
    '-d',
    'msdb',
    '-b',
    '-h',
    '-1',
    '-W',
    '-w',
    '2000',
    ...limits,
    '-Q',
    HISTORY_QUERY,
  ]
}

const isLocalServer = (server: string): boolean => /^(\.|\(local\)|localhost|127\.0\.0\.1)([\\,].*)?$/i.test(server)

export interface SqlcmdOptions {
  /** Where to look for it, the first that is there. */
  readonly programs: readonly (readonly string[])[]
  /** Environment of the child, given the variables to add. */
  readonly environment: (added: Readonly<Record<string, string | undefined>>) => NodeJS.ProcessEnv
}

/** Asks one server once. Never rejects: what went wrong is an answer. */
export async function readHistory(
  server: string,
  login: SqlLogin | undefined,
  { programs, environment }: SqlcmdOptions,
): Promise<SqlHistory> {
  const env = environment({ SQLCMDPASSWORD: login?.password, SQLCMDUSER: undefined })
  for (const [program = '', ...before] of programs) {
    const end = await run(program, [...before, ...sqlcmdArguments(server, login)], env)
    if (end.code === 'ENOENT') continue
    return judgeEnd(end, server)
  }
  return { code: 'sqlcmd_missing', words: 'sqlcmd is not installed here: install the SQL Server command line tools' }
}

export interface SqlcmdEnd {
  /** Exit code, or why it did not start or was killed. */
  readonly code: number | string
  readonly output: Buffer
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<SqlcmdEnd> {
  const options = { env, encoding: 'buffer', timeout: KILL_AFTER_MS, killSignal: 'SIGKILL', windowsHide: true } as const
  return new Promise(resolve =>
    execFile(program, args, { ...options, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      const code = error?.killed ? 'TIMEOUT' : (error?.code ?? (error ? 1 : 0))
      resolve({ code: systemCode(error) ?? code, output: Buffer.concat([stdout, stderr]) })
    }),
  )
}

/** How a run of sqlcmd ended, as history or as the reason for having none. */
export function judgeEnd({ code, output }: SqlcmdEnd, server: string): SqlHistory {
  const text = decodeText(output)
  const history = code === 0 ? parseHistory(text) : undefined
  if (history) return history
  const said = text.replace(/\s+/g, ' ').trim().slice(0, 200)
  if (code === 'TIMEOUT')
    return { code: 'sql_timeout', words: `sqlcmd gave no answer within ${KILL_AFTER_MS / 1000} s` }
  for (const [pattern, failure, fix] of FAILURES)
    if (pattern.test(text)) return { code: failure, words: `${fix.replace('SERVER', () => server)} (${said})` }
  return { code: 'sql_unreadable', words: `sqlcmd ended with ${code}: ${said || 'no output'}` }
}

/** In English and in Russian, by the number where there is one. */
const FAILURES: readonly (readonly [RegExp, SqlCode, string])[] = [
  [
    /\b1845[26]\b|(Msg|Сообщение) (4060|916)\b|Login failed|Ошибка входа|Не удалось выполнить вход/i,
    'sql_login_failed',
    'the login was refused: let NT AUTHORITY\\SYSTEM in, or onec-agent backup credential set --sql SERVER --user LOGIN',
  ],
  [
    /(Msg|Сообщение) (229|230)\b|permission was denied|запрещено разрешение/i,
    'sql_denied',
    'the login may not read msdb: GRANT SELECT ON msdb.dbo.backupset TO it',
  ],
  [/timeout expired|время ожидания/i, 'sql_timeout', 'SERVER did not answer in time'],
  [
    /network-related|server is not found|не найден|could not open a connection|TCP Provider|Named Pipes|certificate|сертификат/i,
    'sql_unreachable',
    'SERVER cannot be reached: is it running, and is its name right?',
  ],
]

/** Rows by the lower-case name of the database; absent when the output does not come to its end. */
export function parseHistory(text: string): ReadonlyMap<string, SqlBackup> | undefined {
  const lines = text.split(/\r?\n/).map(line => line.trim())
  if (!lines.includes(END)) return undefined
  const rows = lines.filter(line => line.startsWith(`${ROW}|`)).map(parseRow)
  if (rows.some(row => row === undefined)) return undefined
  return new Map(rows.flatMap(row => (row ? [row] : [])))
}

function parseRow(line: string): readonly [string, SqlBackup] | undefined {
  const [, name = '', started = '', completed = '', size = '', damaged] = line.split('|')
  const startedAtMs = Date.parse(`${started}Z`)
  const completedAtMs = Date.parse(`${completed}Z`)
  const isNamed = /^([0-9A-F]{4})+$/i.test(name)
  if (!isNamed || Number.isNaN(startedAtMs) || Number.isNaN(completedAtMs) || !/^\d+$/.test(size)) return undefined
  const database = Buffer.from(name, 'hex').toString('utf16le').toLowerCase()
  return [database, { startedAtMs, completedAtMs, sizeBytes: Number(size), isDamaged: damaged === '1' }]
}
