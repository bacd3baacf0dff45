import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findWriter } from '../../../agent/backup/open-writer.ts'
import type { LookDeps } from '../../../agent/backup/watch.ts'
import type { BackupConfig } from '../../../shared/host-config.ts'
import { BackupBench, HOUR_MS, MINUTE_MS } from './support/bench.ts'
import { dtFile, withHole } from './support/content.ts'

const NIGHTLY = { schedule: [{ from: '23:00', due: '06:00' }] }
let bench: BackupBench
const watch = (rules: Partial<BackupConfig> = {}, overrides: Partial<LookDeps> = {}) => {
  bench = BackupBench.ofDirectory({ pattern: '*.dt', ...rules }, overrides)
  return bench
}
afterEach(() => bench.close())

describe('a watched directory', () => {
  it('calls a file good that two looks saw the same', async () => {
    watch({ maxAgeMs: 24 * HOUR_MS })
    bench.put('Зарплата.dt', dtFile())
    await bench.minute()
    expect(bench.relay?.status ?? null).toBeNull()
    expect(await bench.minute()).toMatchObject({ state: 'ok', source: 'directory', reason: null, durationMs: null })
    const madeAtMs = bench.clock.atMs - 3 * MINUTE_MS
    expect(bench.relay).toMatchObject({ status: 1, goodAtMs: madeAtMs, dueAtMs: madeAtMs + 24 * HOUR_MS })
    expect(bench.entries).toMatchObject([
      { level: 'info', message: 'Backup completed', fields: { file: path.join(bench.directory, 'Зарплата.dt') } },
    ])
  })

  it('tells each file once, also over a restart', async () => {
    watch()
    bench.put('1.dt', dtFile())
    await bench.minutes(3)
    const told = bench.reports.length
    await bench.minutes(3)
    expect(bench.reports).toHaveLength(told)
    bench.restart()
    await bench.minutes(3)
    expect(bench.relay?.runs).toEqual({ ok: 1 })
    expect(bench.entries).toHaveLength(1)
    bench.put('2.dt', dtFile())
    await bench.minutes(2)
    expect(bench.relay?.runs).toEqual({ ok: 2 })
  })

  it('counts it once when the agent was killed before it remembered what it had told', async () => {
    watch()
    bench.put('1.dt', dtFile())
    await bench.minute()
    const memory = path.join(bench.stateDirectory, 'watch.json')
    const before = readFileSync(memory)
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
    writeFileSync(memory, before)
    bench.restart()
    expect(await bench.minutes(3)).toMatchObject({ state: 'ok' })
    expect(bench.relay?.runs).toEqual({ ok: 1 })
    expect(bench.entries).toHaveLength(1)
  })

  it('says of a growing file that it runs, and leaves the last completed run as it was', async () => {
    watch()
    bench.put('1.dt', dtFile(9_000))
    await bench.minutes(2)
    const before = bench.relay
    const file = bench.put('2.dt', dtFile(5_000), 0)
    await bench.minute()
    for (let index = 0; index < 3; index++) {
      bench.grow(file, 100)
      expect(await bench.minute()).toMatchObject({ state: 'running', completedAtMs: null })
    }
    expect(bench.reports.filter(({ state }) => state === 'running')).toHaveLength(1)
    expect(bench.relay).toMatchObject({ status: 1, goodAtMs: before?.goodAtMs, goodSizeBytes: before?.goodSizeBytes })
    bench.put('2.dt', dtFile(9_500))
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
  })

  it('waits while a program of this machine has the file open for writing', async () => {
    watch({}, { findWriter })
    const file = bench.put('1.dt', dtFile())
    const writer = openSync(file, 'r+')
    expect(await bench.minutes(2)).toMatchObject({ state: 'running', reason: expect.stringContaining('locked: ') })
    closeSync(writer)
    const reader = openSync(file, 'r')
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
    closeSync(reader)
  })

  it.each<[string, string | Buffer, Partial<BackupConfig>]>([
    ['empty', '', {}],
    ['too_small', dtFile(5_000), { minSizeBytes: 1 << 20 }],
    ['wrong_type', 'PK\x03\x04 that is no infobase', {}],
    ['wrong_type', dtFile(), { format: 'zip' }],
    ['damaged', Buffer.alloc(70_000), {}],
  ])('calls a file failed that is %s', async (code, content, rules) => {
    watch(rules)
    bench.put('Бухгалтерия [1].dt', content)
    expect(await bench.minutes(2)).toMatchObject({ state: 'failed', reason: expect.stringContaining(`${code}: `) })
    expect(bench.relay).toMatchObject({ status: 0, goodAtMs: null, runs: { failed: 1 } })
    expect(bench.entries.at(-1)).toMatchObject({ level: 'error', message: 'Backup failed' })
  })

  it('calls a file failed that shrank against its own history, until a person accepts it', async () => {
    watch()
    for (let night = 1; night <= 4; night++) {
      bench.put(`${night}.dt`, dtFile(100_000 + night * 100))
      await bench.minutes(2)
    }
    bench.put('5.dt', dtFile(40_000))
    const reason = expect.stringMatching(/^shrunken: \d+ bytes is less than 50 % of \d+, the median/)
    expect(await bench.minutes(2)).toMatchObject({ state: 'failed', reason })
    expect(bench.relay).toMatchObject({ status: 0, runs: { ok: 4, failed: 1 } })
    bench.configure({ directory: bench.directory, pattern: '*.dt', minPercentOfMedian: 30 })
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok', reason: null })
    expect(bench.relay).toMatchObject({ status: 1, runs: { ok: 5, failed: 1 } })
  })

  it('does not take a .1CD for a backup, unless nobody works while it is copied', async () => {
    watch({ pattern: '*.1CD' })
    bench.put('1Cv8.1CD', `1CDBMSV8${'x'.repeat(5_000)}`)
    expect(await bench.minutes(2)).toMatchObject({ state: 'failed', reason: expect.stringContaining('unsafe_copy: ') })
    bench.configure({ directory: bench.directory, pattern: '*.1CD', offlineCopy: true })
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
  })

  it('does not take an old file for a new backup because it was copied in just now', async () => {
    watch({ maxAgeMs: 24 * HOUR_MS })
    bench.put('копия.dt', dtFile(), 40 * 24 * HOUR_MS)
    expect(await bench.minutes(2)).toMatchObject({ state: 'late', reason: expect.stringContaining('too_old: ') })
    expect(bench.relay).toMatchObject({ status: null, goodAtMs: null })
  })

  it('calls a file from the future nothing, and takes one that comes after it', async () => {
    watch()
    bench.put('завтра.dt', dtFile(), -25 * HOUR_MS)
    expect(await bench.minutes(2)).toMatchObject({ state: 'unknown', reason: expect.stringContaining('future: ') })
    expect(bench.relay?.status).toBeNull()
    bench.put('сегодня.dt', dtFile())
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
    expect(await bench.minutes(5)).toMatchObject({ state: 'ok' })
    expect(bench.entries.map(({ message }) => message)).toEqual(['Backup state unknown', 'Backup completed'])
    // What is good no longer does not hide that a clock is wrong.
    bench.configure({ directory: bench.directory, pattern: '*.dt', maxAgeMs: HOUR_MS })
    expect(await bench.minute(2 * HOUR_MS)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('future: '),
    })
  })

  it('does not take the file before it for the one that failed and was taken away', async () => {
    watch({ maxAgeMs: 24 * HOUR_MS })
    bench.put('1.dt', dtFile(), 5 * HOUR_MS)
    await bench.minutes(2)
    const { goodAtMs, dueAtMs } = bench.relay ?? {}
    const failed = bench.put('2.dt', '')
    expect(await bench.minutes(2)).toMatchObject({ state: 'failed' })
    rmSync(failed)
    await bench.minutes(3)
    expect(bench.relay).toMatchObject({ state: 'failed', status: 0, goodAtMs, dueAtMs, runs: { ok: 1, failed: 1 } })
    bench.put('3.dt', dtFile())
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
  })

  it('goes by the file before it again when the newest is deleted, and makes no new backup of it', async () => {
    watch({ maxAgeMs: 24 * HOUR_MS })
    bench.put('1.dt', dtFile(), 5 * HOUR_MS)
    await bench.minutes(2)
    const { dueAtMs } = bench.relay ?? {}
    const newest = bench.put('2.dt', dtFile())
    await bench.minutes(2)
    rmSync(newest)
    expect(await bench.minutes(3)).toMatchObject({ state: 'ok', dueAtMs })
    expect(bench.relay?.runs).toEqual({ ok: 2 })
    expect(bench.entries).toHaveLength(2)
  })

  it('leaves alone what is not finished by its name, or not of the pattern', async () => {
    watch({ pattern: '*' })
    for (const name of ['1.dt.tmp', '2.dt.PART', '~3.dt', '4.partial']) bench.put(name, 'x')
    expect(await bench.minutes(3)).toBeUndefined()
    renameSync(bench.put('1.dt.tmp', dtFile()), path.join(bench.directory, '1.dt'))
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
  })

  it('looks into folders where the pattern names them', async () => {
    watch({ pattern: '*/*.dt' })
    bench.put('1.dt', dtFile())
    expect(await bench.minutes(2)).toBeUndefined()
    mkdirSync(path.join(bench.directory, '2026-11-25'))
    bench.put('2026-11-25/1.dt', dtFile())
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
  })
})

describe('a file read whole', () => {
  it.each<[string, string, Buffer]>([
    ['a cut .dt', 'truncated', dtFile().subarray(0, 200_000)],
    ['a hole of zeros', 'damaged', withHole(dtFile())],
  ])('finds %s', async (_, code, content) => {
    watch({ integrity: true })
    bench.put('1.dt', content)
    expect(await bench.until(code)).toMatchObject({ state: 'failed', reason: expect.stringContaining(`${code}: `) })
  })

  it('is good when it is whole, and unchanged when it is the last one again', async () => {
    watch({ integrity: true })
    const content = dtFile()
    bench.put('1.dt', content, HOUR_MS)
    expect(await bench.until('ok')).toMatchObject({ state: 'ok' })
    bench.put('2.dt', content)
    const unchanged = await bench.until('unchanged')
    expect(unchanged).toMatchObject({ state: 'unchanged', reason: expect.stringContaining('the same content') })
    expect(bench.relay).toMatchObject({ status: 1, runs: { ok: 1, unchanged: 1 } })
    bench.restart()
    await bench.minutes(3)
    expect(bench.relay?.runs).toEqual({ ok: 1, unchanged: 1 })
  })

  it('is no second backup under another name', async () => {
    watch({ integrity: true })
    const file = bench.put('1.dt', dtFile())
    await bench.until('ok')
    renameSync(file, path.join(bench.directory, '1.вчера.dt'))
    for (let minute = 0; minute < 10; minute++) {
      await bench.minute()
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    expect(bench.relay).toMatchObject({ state: 'ok', runs: { ok: 1 } })
  })

  it('is not judged before, and is read once', async () => {
    watch({ integrity: true })
    bench.put('1.dt', dtFile())
    await bench.minute()
    expect(await bench.minute()).toBeUndefined()
    expect(await bench.until('ok')).toMatchObject({ state: 'ok' })
    const told = bench.reports.length
    bench.restart()
    await bench.minutes(5)
    expect(bench.reports.slice(told).every(({ state }) => state === 'ok')).toBe(true)
  })
})

describe('a backup that does not come', () => {
  it('has no values before its first run, and a deadline at once', async () => {
    watch(NIGHTLY)
    const dueAtMs = new Date(2026, 10, 26, 6, 0).getTime()
    expect(await bench.minute()).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('none_yet'),
      dueAtMs,
    })
    expect(bench.relay).toMatchObject({ status: null, completedAtMs: null, dueAtMs })
    expect(bench.entries).toEqual([])
    await bench.minute(11 * HOUR_MS)
    expect(await bench.minute()).toMatchObject({ state: 'late', reason: expect.stringContaining('late: '), dueAtMs })
  })

  it('is late after its hour, and that is said once', async () => {
    watch(NIGHTLY)
    bench.put('вчера.dt', dtFile(), HOUR_MS)
    await bench.minutes(2)
    expect(bench.relay?.status).toBe(1)
    const dueAtMs = new Date(2026, 10, 26, 6, 0).getTime()
    expect(bench.relay?.dueAtMs).toBe(dueAtMs)
    await bench.minute(9 * HOUR_MS)
    expect(bench.relay?.state).toBe('ok')
    await bench.minute(HOUR_MS)
    await bench.minutes(3)
    expect(bench.relay).toMatchObject({ state: 'late', status: 1, dueAtMs })
    expect(bench.entries.map(({ message }) => message)).toEqual(['Backup completed', 'Backup late'])
    bench.put('сегодня.dt', dtFile())
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok', dueAtMs: new Date(2026, 10, 27, 6, 0).getTime() })
  })

  it('was due while the host was down: the relay knew until when, and the return says that it is late', async () => {
    watch(NIGHTLY)
    bench.put('вчера.dt', dtFile(), HOUR_MS)
    await bench.minutes(2)
    const dueAtMs = new Date(2026, 10, 26, 6, 0).getTime()
    expect(bench.relay?.dueAtMs).toBe(dueAtMs)
    bench.restart(20 * HOUR_MS)
    expect(await bench.minutes(2)).toMatchObject({ state: 'late', dueAtMs })
  })

  it('is not late when another machine made it while this one was down', async () => {
    watch(NIGHTLY)
    bench.put('вчера.dt', dtFile(), HOUR_MS)
    await bench.minutes(2)
    bench.restart(20 * HOUR_MS)
    bench.put('ночью.dt', dtFile(), 15 * HOUR_MS)
    await bench.minutes(3)
    expect(bench.relay).toMatchObject({ state: 'ok', runs: { ok: 2 } })
    expect(bench.reports.map(({ state }) => state)).not.toContain('late')
  })

  it('is gone when its files are', async () => {
    watch()
    rmSync(bench.put('1.dt', dtFile())) // never seen
    bench.put('2.dt', dtFile())
    await bench.minutes(2)
    rmSync(path.join(bench.directory, '2.dt'))
    expect(await bench.minute()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('gone: ') })
    expect(bench.relay).toMatchObject({ status: 1, runs: { ok: 1 } })
  })

  it('is unknown while its directory cannot be reached, and good again after that, counted once', async () => {
    watch()
    bench.put('1.dt', dtFile())
    await bench.minutes(2)
    const away = `${bench.directory}-away`
    renameSync(bench.directory, away)
    expect(await bench.minute()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('unreachable: ') })
    await bench.minutes(3)
    renameSync(away, bench.directory)
    expect(await bench.minutes(2)).toMatchObject({ state: 'ok' })
    expect(bench.relay).toMatchObject({ status: 1, runs: { ok: 1 } })
    expect(bench.entries.map(({ message }) => message)).toEqual(['Backup completed', 'Backup state unknown'])
  })
})
