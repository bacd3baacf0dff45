import { symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readStatus, readTime } from '../../../agent/backup/status-file.ts'
import type { BackupConfig } from '../../../shared/host-config.ts'
import { BackupBench, HOUR_MS } from './support/bench.ts'
import { dtFile } from './support/content.ts'

const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
const OK = '{"state":"ok","startedAt":"2026-11-25T16:00:00Z","completedAt":"2026-11-25T16:30:00Z","sizeBytes":7000}'

describe('readStatus', () => {
  const times = { startedAtMs: Date.UTC(2026, 10, 25, 16), completedAtMs: Date.UTC(2026, 10, 25, 16, 30) }
  it.each([
    ['UTF-8', Buffer.from(OK)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${OK}`)],
    ["PowerShell's Out-File", utf16(`${OK}\r\n`)],
    ['UTF-16 without a mark', Buffer.from(OK, 'utf16le')],
  ])('reads %s', (_, bytes) => {
    expect(readStatus(bytes)).toEqual({
      ...times,
      code: 'said_ok',
      sizeBytes: 7_000,
      durationMs: 1_800_000,
      reason: undefined,
      file: undefined,
    })
  })

  it('takes the names and dates that scripts make', () => {
    const text =
      '{"State":"Skipped","completed_at":"\\/Date(1795624200000)\\/","SizeBytes":"12","reason":"база не менялась"}'
    expect(readStatus(Buffer.from(text))).toMatchObject({
      code: 'said_unchanged',
      completedAtMs: 1_795_624_200_000,
      sizeBytes: 12,
      reason: 'база не менялась',
    })
    expect(readTime({ value: '/Date(1795624200000)/', DisplayHint: 2 })).toBe(1_795_624_200_000)
    expect(readTime('25.11.2026  3:40:05,15')).toBe(new Date(2026, 10, 25, 3, 40, 5).getTime())
    expect(readTime('2026-11-25 23:40')).toBe(new Date(2026, 10, 25, 23, 40).getTime())
    expect(readTime('2026-11-25T23:40:00.1234567+03:00')).toBe(Date.UTC(2026, 10, 25, 20, 40, 0, 123))
    expect(readTime('11/25/2026')).toBeUndefined()
  })

  it.each([
    [OK.slice(0, 40), 'it is no JSON'],
    ['', 'it is no JSON'],
    ['[1]', 'state: '],
    ['{"state":"отлично"}', 'state: '],
    ['{"state":"ok","completedAt":"вчера"}', 'completedat: a time is ISO 8601 or epoch milliseconds'],
    ['{"state":"ok","sizeBytes":-1}', 'sizebytes: '],
  ])('says what is wrong with %j', (text, problem) => {
    expect(readStatus(Buffer.from(text))).toMatchObject({ problem: expect.stringContaining(problem) })
  })
})

describe('a status file', () => {
  let bench: BackupBench
  let file: string
  const open = (rules: Partial<BackupConfig> = {}) => {
    bench = new BackupBench({})
    file = path.join(bench.directory, 'статус.json')
    bench.configure({ statusFile: file, ...rules })
  }
  const drop = (content: string | Buffer) => {
    writeFileSync(file, content)
    utimesSync(file, bench.clock.atMs / 1000, bench.clock.atMs / 1000)
  }
  const said = (state: string, agoMs: number, more: object = {}) =>
    JSON.stringify({ state, completedAt: new Date(bench.clock.atMs - agoMs).toISOString(), ...more })
  afterEach(() => bench.close())

  it('is taken once, also after a restart', async () => {
    open()
    expect(await bench.minutes(2)).toBeUndefined()
    drop(said('ok', 1_000, { startedAt: new Date(bench.clock.atMs - HOUR_MS).toISOString(), sizeBytes: 5 }))
    expect(await bench.minute()).toMatchObject({
      state: 'ok',
      source: 'status-file',
      sizeBytes: 5,
      durationMs: HOUR_MS - 1_000,
    })
    bench.restart()
    await bench.minutes(3)
    expect(bench.relay?.runs).toEqual({ ok: 1 })
    expect(bench.entries).toHaveLength(1)
    drop(said('failed', 1_000, { reason: 'диск полон' }))
    expect(await bench.minute()).toMatchObject({ state: 'failed', reason: 'said_failed: диск полон' })
    expect(bench.relay).toMatchObject({ status: 0, runs: { ok: 1, failed: 1 } })
  })

  it('is left alone while it is being written, and never counts as a failure for being garbage', async () => {
    open()
    drop(said('ok', 1_000))
    await bench.minute()
    drop('{"state":"o')
    await bench.minute()
    expect(bench.relay?.state).toBe('ok')
    expect(await bench.minute()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('it is no JSON') })
    expect(bench.relay).toMatchObject({ status: 1, runs: { ok: 1 } })
    drop(said('ok', 1_000))
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
    expect(bench.relay?.runs).toEqual({ ok: 2 })
  })

  it('knows running, an unchanged base, and one that is too small', async () => {
    open({ minSizeBytes: 100 })
    drop(said('unchanged', 1_000))
    expect(await bench.minute()).toMatchObject({ state: 'unchanged' })
    drop('{"state":"running","startedAt":"2026-11-25T20:00:00"}')
    expect(await bench.minute()).toMatchObject({ state: 'running', completedAtMs: null })
    expect(bench.relay).toMatchObject({ status: 1, runs: { unchanged: 1 } })
    drop(said('ok', 1_000, { sizeBytes: 99 }))
    expect(await bench.minute()).toMatchObject({ state: 'failed', reason: expect.stringContaining('too_small: ') })
  })

  it('has the last word no longer when its file is found damaged', async () => {
    open()
    bench.configure({ statusFile: file, directory: bench.directory, pattern: '*.dt', integrity: true })
    bench.put('1.dt', dtFile().subarray(0, 200_000), 2_000)
    drop(said('ok', 1_000, { startedAt: new Date(bench.clock.atMs - HOUR_MS).toISOString() }))
    await bench.until('truncated')
    await bench.minutes(5)
    expect(bench.relay).toMatchObject({ state: 'failed', status: 0, runs: { ok: 1, failed: 1 } })
    bench.grow(bench.put('2.dt', dtFile()), 1)
    await bench.minute()
    const told = bench.reports.length
    for (let index = 0; index < 3; index++) {
      bench.grow(path.join(bench.directory, '2.dt'), 100)
      await bench.minute()
    }
    expect(bench.reports.slice(told).map(({ state }) => state)).toEqual(['running'])
    drop(said('ok', 1_000))
    expect(await bench.minute()).toMatchObject({ state: 'ok', source: 'status-file' })
  })

  it('is late when what it says to run was forgotten', async () => {
    open({ maxAgeMs: 24 * HOUR_MS })
    drop(said('ok', 1_000))
    await bench.minute()
    await bench.minute(20 * HOUR_MS)
    drop('{"state":"running"}')
    await bench.minute()
    expect(bench.relay?.state).toBe('running')
    expect(await bench.minute(5 * HOUR_MS)).toMatchObject({
      state: 'late',
      reason: expect.stringContaining('it runs since 2026-11-26'),
    })
    await bench.minutes(3)
    expect(bench.entries.map(({ message }) => message)).toEqual(['Backup completed', 'Backup late'])
    drop(said('ok', 1_000))
    expect(await bench.minute()).toMatchObject({ state: 'ok' })
  })

  it('is not absent where it cannot be looked at', async () => {
    open({ maxAgeMs: HOUR_MS })
    symlinkSync(file, file)
    expect(await bench.minute(2 * HOUR_MS)).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/^unreachable: .*ELOOP/),
    })
  })

  it('is not absent where its folder is', async () => {
    open()
    bench.configure({ statusFile: path.join(bench.directory, 'нет', 'статус.json'), maxAgeMs: HOUR_MS })
    const reason = expect.stringMatching(/^unreachable: .*нет is not there$/)
    expect(await bench.minute(2 * HOUR_MS)).toMatchObject({ state: 'unknown', reason })
  })

  it('is late when it says nothing newer', async () => {
    open({ maxAgeMs: 24 * HOUR_MS })
    drop(said('ok', 1_000))
    await bench.minute()
    await bench.minute(25 * HOUR_MS)
    expect(bench.relay).toMatchObject({ state: 'late', status: 1, runs: { ok: 1 } })
  })
})
