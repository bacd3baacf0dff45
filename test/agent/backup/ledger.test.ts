import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listReports, type StoredReport, writeReport } from '../../../agent/backup/inbox.ts'
import { inboxOf, openLedger } from '../../../agent/backup/ledger.ts'
import type { HostConfig } from '../../../shared/host-config.ts'
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
        fields: { backup: NAME, source: 'run', size_bytes: '5000', duration_ms: '1000', file: '/backups/зарплата.dt' },
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

  describe('of a backup with a schedule', () => {
    const at = (day: number, hour: number) => new Date(2026, 10, day, hour).getTime()
    const config = { backups: [{ name: NAME, schedule: [{ from: '23:00', due: '06:00' }] }] }
    const take = (ledger: ReturnType<typeof open>, nowMs: number, rules: HostConfig = config) => {
      const news = ledger.news(nowMs, rules)
      if (news) ledger.commit(news)
      return news?.backups.map(({ state, dueAtMs }) => [state, dueAtMs])
    }

    it('tells of its deadline before it ever came, and that it did not, once', () => {
      const ledger = open()
      expect(take(ledger, at(25, 20))).toEqual([['unknown', at(26, 6)]])
      expect(take(ledger, at(26, 5))).toBeUndefined()
      expect(take(ledger, at(26, 6))).toEqual([['late', at(26, 6)]])
      expect(take(ledger, at(27, 6))).toBeUndefined()
      // The night in which the agent was away counts too.
      expect(take(open(), at(28, 6))).toEqual([['late', at(26, 6)]])
    })

    it('finds on its return that one was missed while the host was down', () => {
      const good = { ...report('ok', 0), atMs: at(25, 23) }
      put({ ...good, report: { ...good.report, startedAtMs: null, completedAtMs: at(25, 23), durationMs: null } })
      expect(take(open(), at(25, 23))).toEqual([['ok', at(27, 6)]])
      const back = open()
      const news = back.news(at(27, 9), config)
      expect(news?.backups).toMatchObject([{ state: 'late', source: 'run', dueAtMs: at(27, 6), completedAtMs: null }])
      expect(news?.entries).toMatchObject([{ level: 'warn', message: 'Backup late' }])
    })

    it('leaves a failure a failure, and one that runs running', () => {
      put({ ...report('failed', 0), atMs: at(25, 23) })
      const ledger = open()
      take(ledger, at(25, 23))
      expect(take(ledger, at(27, 9))).toBeUndefined()
      put({ ...report('running', 0), atMs: at(27, 23), process: { pid: 1 } })
      expect(take(ledger, at(28, 9))?.map(([state]) => state)).toEqual(['running'])
    })

    it('calls late what a script said to run and never spoke of again', () => {
      const said = { ...report('running', 0).report, source: 'report' as const, startedAtMs: at(26, 23) }
      const ledger = open()
      take(ledger, at(26, 20))
      put({ atMs: at(26, 23), report: said })
      expect(take(ledger, at(26, 23))).toEqual([['running', at(27, 6)]])
      expect(take(ledger, at(27, 5))).toBeUndefined()
      expect(take(ledger, at(27, 6))).toEqual([['late', at(27, 6)]])
      // Made once more by day: it is given a day.
      put({ atMs: at(27, 9), report: { ...said, startedAtMs: at(27, 9) } })
      expect(take(ledger, at(27, 9))).toEqual([['running', at(27, 6)]])
      expect(take(ledger, at(28, 8))).toBeUndefined()
      expect(take(ledger, at(28, 9))).toEqual([['late', at(27, 6)]])
    })

    it('tells a deadline anew when the schedule is changed, and forgets one that is gone', () => {
      const ledger = open()
      take(ledger, at(25, 20))
      const later = { backups: [{ name: NAME, schedule: [{ from: '23:00', due: '08:00' }] }] }
      expect(take(ledger, at(25, 21), later)).toEqual([['unknown', at(26, 8)]])
      expect(take(ledger, at(25, 21), later)).toBeUndefined()
      take(ledger, at(25, 22), {})
      expect(ledger.recall(NAME).expectedSinceMs).toBeUndefined()
    })
  })

  it('remembers the sizes of the last ten good ones, until they are accepted anew', () => {
    const ledger = open()
    const take = (stored: StoredReport) => {
      put(stored)
      const news = ledger.news(START_MS, {})
      if (news) ledger.commit(news)
    }
    for (let hour = 1; hour <= 12; hour++) take(report('ok', hour, { sizeBytes: hour }))
    take(report('failed', 13, { sizeBytes: 99 }))
    take(report('ok', 12, { sizeBytes: 12 }))
    expect(ledger.recall(NAME).known?.goodSizes).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    put({ ...report('failed', 14), forgetSizes: true })
    expect(ledger.recall(NAME).known?.goodSizes).toBeUndefined()
  })

  it('reads what an older agent kept', () => {
    put(report('ok', 1))
    const ledger = open()
    const news = ledger.news(START_MS, {})
    if (news) ledger.commit(news)
    const file = path.join(directory, 'state.json')
    const { backups } = JSON.parse(readFileSync(file, 'utf8'))
    const older = backups.map(({ stored, lastGoodAtMs }: Record<string, unknown>) => ({ stored, lastGoodAtMs }))
    writeFileSync(file, JSON.stringify({ backups: older }))
    expect(open().recall(NAME).known).toMatchObject({ lastGoodAtMs: START_MS + HOUR_MS })
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
