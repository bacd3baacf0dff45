import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listReports, type StoredReport, writeReport } from '../../../agent/backup/inbox.ts'
import { inboxOf, openLedger } from '../../../agent/backup/ledger.ts'
import { type BackupReport, backupReport, entrySchema } from '../../../shared/wire.ts'
import { START_MS } from '../support/spool.ts'

const HOUR_MS = 3_600_000
let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-ledger-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const NAME = 'Зарплата 3.1'
function report(state: BackupReport['state'], hour: number, more: Partial<BackupReport> = {}): StoredReport {
  const atMs = START_MS + hour * HOUR_MS
  const ended = state !== 'running'
  const times = { startedAtMs: atMs - 1_000, completedAtMs: ended ? atMs : null, durationMs: ended ? 1_000 : null }
  return {
    atMs,
    report: {
      name: NAME,
      state,
      source: 'run',
      reason: null,
      sizeBytes: ended ? 5_000 : null,
      dueAtMs: null,
      ...times,
      ...more,
    },
    ...(ended && { file: '/backups/зарплата.dt' }),
  }
}
const put = (stored: StoredReport) => writeReport(inboxOf(directory), stored)
const open = (spooled: string[] = [], alive = true) => openLedger({ directory, spooled, isRunning: () => alive })

describe('ledger', () => {
  it('has nothing to say when nothing happened', () => {
    expect(open().news(START_MS, {})).toBeUndefined()
  })

  it('tells each report once, and everything once more after a start', () => {
    put(report('ok', 1))
    const ledger = open()
    const news = ledger.news(START_MS, {})
    expect(news?.backups).toEqual([report('ok', 1).report])
    expect(news?.entries).toEqual([
      {
        atMs: START_MS + HOUR_MS,
        level: 'info',
        message: 'Backup completed',
        fields: { backup: NAME, size_bytes: '5000', duration_ms: '1000', file: '/backups/зарплата.dt' },
      },
    ])
    if (news) ledger.commit(news)
    expect(listReports(inboxOf(directory))).toEqual([])
    expect(ledger.news(START_MS, {})).toBeUndefined()
    const restarted = open().news(START_MS, {})
    expect(restarted?.backups).toEqual([report('ok', 1).report])
    expect(restarted?.entries).toEqual([])
  })

  it('keeps reports that the spool did not take', () => {
    put(report('failed', 1, { reason: 'exit code 3' }))
    const ledger = open()
    expect(ledger.news(START_MS, {})?.entries[0]).toMatchObject({ level: 'error', message: 'Backup failed' })
    expect(ledger.news(START_MS, {})?.backups).toHaveLength(1)
    expect(open().news(START_MS, {})?.entries).toHaveLength(1)
  })

  it('does not take twice what the spool held when a crash came before the commit', () => {
    put(report('ok', 1))
    const crashed = open().news(START_MS, {})
    const news = open([...(crashed?.reports ?? [])]).news(START_MS, {})
    expect(news?.entries).toEqual([])
    expect(news?.backups).toEqual([report('ok', 1).report])
    expect(listReports(inboxOf(directory))).toEqual([])
  })

  it('tells two runs in a row in their order, and other backups beside them', () => {
    put(report('ok', 1, { name: 'ut11' }))
    const ledger = open()
    const first = ledger.news(START_MS, {})
    if (first) ledger.commit(first)
    put(report('failed', 3, { reason: 'exit code 1' }))
    put(report('ok', 2))
    const news = ledger.news(START_MS, {})
    expect(news?.backups.map(each => [each.name, each.state])).toEqual([
      [NAME, 'ok'],
      [NAME, 'failed'],
      ['ut11', 'ok'],
    ])
    expect(news?.backups.every(each => backupReport.safeParse(each).success)).toBe(true)
    expect(news?.entries.every(each => entrySchema.safeParse(each).success)).toBe(true)
  })

  it('counts the deadline from the last good one', () => {
    const config = { backups: [{ name: NAME, maxAgeMs: 24 * HOUR_MS }] }
    put(report('ok', 1))
    put(report('failed', 25, { reason: 'exit code 1' }))
    const due = open()
      .news(START_MS, config)
      ?.backups.map(each => each.dueAtMs)
    expect(due).toEqual([START_MS + 25 * HOUR_MS, START_MS + 25 * HOUR_MS])
  })

  it('calls a run failed whose wrapper is gone', () => {
    put({ ...report('running', 1), process: { pid: 4_000_000 } })
    const ledger = open([], false)
    const news = ledger.news(START_MS + 2 * HOUR_MS, {})
    expect(news?.backups.map(each => each.state)).toEqual(['running', 'failed'])
    expect(news?.backups[1]?.reason).toContain('without a report')
    if (news) ledger.commit(news)
    expect(ledger.news(START_MS, {})).toBeUndefined()
  })

  it('says of a run that is alive that it runs', () => {
    put({ ...report('running', 1), process: { pid: 1 } })
    expect(open().news(START_MS, {})).toMatchObject({
      backups: [{ state: 'running', completedAtMs: null }],
      entries: [],
    })
  })

  it('throws away a file that is no report', () => {
    put(report('ok', 1))
    writeFileSync(path.join(inboxOf(directory), '000.json'), '{"report":')
    const ledger = open()
    const news = ledger.news(START_MS, {})
    expect(news?.backups).toHaveLength(1)
    if (news) ledger.commit(news)
    expect(listReports(inboxOf(directory))).toEqual([])
  })
})

describe('inbox', () => {
  it('keeps a thousand reports and says how many it gave up', () => {
    const inbox = inboxOf(directory)
    put(report('ok', 0))
    for (let index = 0; index < 1_000; index++) writeFileSync(path.join(inbox, `9-${index}.json`), '{}')
    expect(put(report('ok', 1))).toBe(2)
    expect(listReports(inbox)).toHaveLength(1_000)
  })
})
