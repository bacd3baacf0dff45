import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqlHistory, type SqlAnswer } from '../../../agent/backup/sql-history.ts'
import { judgeEnd, parseHistory, readHistory, type SqlHistory, sqlcmdArguments } from '../../../agent/backup/sqlcmd.ts'
import { BackupBench, EVENING_MS, HOUR_MS, ManualClock, MINUTE_MS } from './support/bench.ts'

const hex = (name: string) => Buffer.from(name, 'utf16le').toString('hex').toUpperCase()
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 19)
const row = (name: string, completedAtMs: number, sizeBytes = 5_000_000, damaged = 0) =>
  `ONEC_ROW|${hex(name)}|${iso(completedAtMs - HOUR_MS)}|${iso(completedAtMs)}|${sizeBytes}|${damaged}`

describe('parseHistory', () => {
  it('reads rows among what else sqlcmd prints', () => {
    const text = `Changed database context to 'msdb'.\r\n\r\n${row('Зарплата|3.1', EVENING_MS)}\r\n${row('ut11', EVENING_MS)}   \r\n\r\nONEC_END\r\n`
    const history = parseHistory(text)
    expect([...(history?.keys() ?? [])]).toEqual(['зарплата|3.1', 'ut11'])
    expect(history?.get('ut11')).toEqual({
      startedAtMs: EVENING_MS - HOUR_MS,
      completedAtMs: EVENING_MS,
      sizeBytes: 5_000_000,
      isDamaged: false,
    })
  })
  it('is empty without backups, and nothing when it is cut or spoiled', () => {
    expect(parseHistory('ONEC_END')?.size).toBe(0)
    expect(parseHistory(row('ut11', EVENING_MS))).toBeUndefined()
    expect(parseHistory('ONEC_ROW|zz|2026\nONEC_END')).toBeUndefined()
  })
})

describe('judgeEnd', () => {
  it.each<[string, string | number, string]>([
    [
      "Sqlcmd: Error: Microsoft ODBC Driver 17 for SQL Server : Login failed for user 'CORP\\SRV-1C$'..",
      1,
      'sql_login_failed',
    ],
    ['Сообщение 18456, уровень 14: Ошибка входа пользователя "NT AUTHORITY\\СИСТЕМА".', 1, 'sql_login_failed'],
    ["Msg 229, Level 14\nThe SELECT permission was denied on the object 'backupset'", 1, 'sql_denied'],
    ['Сообщение 229: Запрещено разрешение "SELECT" на объект "backupset"', 1, 'sql_denied'],
    [
      'Sqlcmd: Error: TCP Provider: Error code 0x2749. A network-related or instance-specific error',
      1,
      'sql_unreachable',
    ],
    ['SSL Provider: The certificate chain was issued by an authority that is not trusted.', 1, 'sql_unreachable'],
    ['Sqlcmd: Error: Login timeout expired.', 1, 'sql_timeout'],
    ['', 'TIMEOUT', 'sql_timeout'],
    ['странный ответ', 0, 'sql_unreadable'],
  ])('tells %j apart', (text, code, expected) => {
    expect(judgeEnd({ code, output: Buffer.from(text) }, '.')).toMatchObject({ code: expected })
  })
  it('understands the code page of a Russian console', () => {
    const output = Buffer.from([0x8e, 0xe8, 0xa8, 0xa1, 0xaa, 0xa0, 0x20, 0xa2, 0xe5, 0xae, 0xa4, 0xa0])
    expect(judgeEnd({ code: 1, output }, '.')).toMatchObject({ words: expect.stringContaining('Ошибка входа') })
  })
  it('says what to do about a login', () => {
    const history = judgeEnd({ code: 1, output: Buffer.from('Login failed') }, '.\\SQL2019')
    expect(history).toMatchObject({ words: expect.stringContaining('credential set --sql .\\SQL2019') })
  })
})

describe('sqlcmd itself', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'onec-sql-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const program = [process.execPath, path.join(import.meta.dirname, 'support', 'sqlcmd.mjs')]
  const ask = (script: object, login?: { user: string; password: string }) => {
    const file = path.join(directory, 'script.json')
    writeFileSync(file, JSON.stringify(script))
    const environment = (added: Readonly<Record<string, string | undefined>>) => ({ ...added, ONEC_TEST_SQL: file })
    return readHistory('.', login, { programs: [['/no/such/sqlcmd'], program], environment })
  }

  it('is asked with options that it knows, as the account of the agent', async () => {
    const history = (await ask({ rows: [row('Бухгалтерия', EVENING_MS)] })) as ReadonlyMap<string, unknown>
    expect(history.get('бухгалтерия')).toMatchObject({ sizeBytes: 5_000_000 })
  })
  it('gets a password by its environment alone', async () => {
    const login = { user: 'backup_reader', password: 'п@ss"word' }
    expect(await ask({ login, rows: [row('ut', EVENING_MS)] }, login)).toHaveProperty('size', 1)
    expect(await ask({ login }, { ...login, password: 'другой' })).toMatchObject({ code: 'sql_login_failed' })
    expect(JSON.stringify(sqlcmdArguments('.', login))).not.toContain('п@ss')
  })
  it('trusts the certificate of this machine, and of no other', () => {
    for (const server of ['.', '.\\SQL2019', 'localhost', '(local)', '127.0.0.1,1433'])
      expect(sqlcmdArguments(server, undefined)).toContain('-C')
    for (const server of ['srv-sql', 'localhost.evil.example'])
      expect(sqlcmdArguments(server, undefined)).not.toContain('-C')
  })
  it('says that it is not installed', async () => {
    const none = { programs: [['/no/such/sqlcmd']], environment: () => ({}) }
    expect(await readHistory('.', undefined, none)).toMatchObject({ code: 'sqlcmd_missing' })
  })
})

describe('the history of a server', () => {
  const NIGHTLY = { mssql: { database: 'Зарплата' }, schedule: [{ from: '23:00', due: '06:00' }] }
  let answer: SqlHistory
  let asked: number
  let bench: BackupBench
  const history = (...rows: string[]): SqlHistory => parseHistory([...rows, 'ONEC_END'].join('\n')) ?? new Map()
  beforeEach(() => {
    asked = 0
    const sqlHistory = async () => {
      asked++
      return { history: answer, askedAtMs: bench.clock.atMs }
    }
    answer = history()
    bench = new BackupBench(NIGHTLY, { sqlHistory })
  })
  afterEach(() => bench.close())

  it('tells of a backup with its times', async () => {
    answer = history(row('ЗАРПЛАТА', EVENING_MS - HOUR_MS), row('другая', EVENING_MS))
    expect(await bench.minute()).toMatchObject({
      state: 'ok',
      source: 'mssql',
      completedAtMs: EVENING_MS - HOUR_MS,
      startedAtMs: EVENING_MS - 2 * HOUR_MS,
      durationMs: HOUR_MS,
      sizeBytes: 5_000_000,
    })
    await bench.minutes(5)
    expect(bench.relay?.runs).toEqual({ ok: 1 })
  })

  it('counts each night without one as a failure', async () => {
    answer = history(row('Зарплата', EVENING_MS - HOUR_MS))
    await bench.minute()
    const firstDueMs = new Date(2026, 10, 26, 6, 0).getTime()
    expect(await bench.minute(11 * HOUR_MS)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('sql_missed: no full backup of Зарплата by 2026-11-26 06:00'),
      completedAtMs: firstDueMs,
      dueAtMs: firstDueMs,
    })
    await bench.minutes(3)
    expect(bench.relay).toMatchObject({ status: 0, goodAtMs: EVENING_MS - HOUR_MS, runs: { ok: 1, failed: 1 } })
    await bench.minute(24 * HOUR_MS)
    expect(bench.relay?.runs).toEqual({ ok: 1, failed: 2 })
    answer = history(row('Зарплата', bench.clock.atMs))
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
  })

  it('does not call missed what came since the server was last asked', async () => {
    bench.close()
    let shared: ((server: string) => Promise<SqlAnswer>) | undefined
    bench = new BackupBench(NIGHTLY, { sqlHistory: server => (shared as NonNullable<typeof shared>)(server) })
    shared = createSqlHistory(async () => answer, bench.clock)
    answer = history(row('Зарплата', EVENING_MS - HOUR_MS))
    await bench.minute()
    // Asked at 05:52, ended at 05:56, due at 06:00, asked again at 06:02.
    await bench.minute(9 * HOUR_MS + 51 * MINUTE_MS)
    answer = history(row('Зарплата', new Date(2026, 10, 26, 5, 56).getTime()))
    await bench.minutes(15)
    expect(bench.relay).toMatchObject({ state: 'ok', status: 1, runs: { ok: 2 } })
    expect(bench.reports.map(({ state }) => state)).not.toContain('failed')
  })

  it('tells of an old backup before it tells that it was missed', async () => {
    answer = history(row('Зарплата', EVENING_MS - 72 * HOUR_MS))
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
    expect(await bench.minute()).toMatchObject({ state: 'failed' })
    expect(bench.relay).toMatchObject({ status: 0, goodAtMs: EVENING_MS - 72 * HOUR_MS })
  })

  it('does not take a refused login for a missing backup', async () => {
    answer = { code: 'sql_login_failed', words: 'the login was refused' }
    expect(await bench.minute(20 * HOUR_MS)).toMatchObject({
      state: 'unknown',
      reason: 'sql_login_failed: the login was refused',
    })
    await bench.minutes(5)
    expect(bench.relay).toMatchObject({ status: null, runs: {} })
    expect(asked).toBeGreaterThan(1)
  })

  it('is damaged where the server says so', async () => {
    answer = history(row('Зарплата', EVENING_MS - HOUR_MS, 5_000_000, 1))
    expect(await bench.minute()).toMatchObject({ state: 'failed', reason: expect.stringContaining('sql_damaged') })
  })

  it('is asked for every ten minutes, once for all databases', async () => {
    const clock = new ManualClock()
    let calls = 0
    const shared = createSqlHistory(async () => {
      calls++
      return new Map()
    }, clock)
    await Promise.all([shared('.'), shared('.'), shared('srv2')])
    clock.advance(9 * 60_000)
    await shared('.')
    expect(calls).toBe(2)
    clock.advance(60_000)
    await shared('.')
    expect(calls).toBe(3)
  })
})
