import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileGlob } from '../../../agent/backup/glob.ts'
import { createLane, type Lane } from '../../../agent/backup/lane.ts'
import { createScanner } from '../../../agent/backup/scan.ts'
import { EVENING_MS, ManualClock } from './support/bench.ts'

describe('compileGlob', () => {
  it.each([
    ['*.dt', ['Зарплата.dt', '.dt', 'a b [1].dt'], ['Зарплата.DT', 'a.dt.zip', '']],
    ['База_?.{dt,zip}', ['База_1.dt', 'База_Я.zip'], ['База_10.dt', 'База_1.7z']],
    ['[A-C]*', ['A1', 'B'], ['D', 'a']],
    ['[!A]*.dt', ['B.dt'], ['A.dt']],
    ['a+(b).dt', ['a+(b).dt'], ['aab.dt']],
    ['{[', ['{['], ['[']],
    ['[z-a].dt', ['[z-a].dt'], ['m.dt']],
    ['[&+].dt', ['&.dt', '+.dt'], ['[&+].dt']],
    ['Копия [[]ЗУП].*', ['Копия [ЗУП].dt'], ['Копия З.dt']],
  ])('%s', (pattern, taken, left) => {
    const matches = compileGlob(pattern, false)
    expect(taken.filter(name => !matches(name))).toEqual([])
    expect(left.filter(matches)).toEqual([])
  })
  it('makes no difference between capitals on Windows, and takes no unfinished file', () => {
    expect(compileGlob('*.dt', true)('ЗАРПЛАТА.DT')).toBe(true)
    expect(['1.tmp', '1.dt.part', '~1.dt', '1.dt~', '1.crdownload'].filter(compileGlob('*', true))).toEqual([])
  })
})

describe('a scanner', () => {
  let directory: string
  let clock: ManualClock
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'onec-scan-'))
    clock = new ManualClock()
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const put = (name: string, atMs: number) => {
    writeFileSync(path.join(directory, name), '1')
    utimesSync(path.join(directory, name), atMs / 1000, atMs / 1000)
  }
  /** Counts the calls; every one of them looks at fifty files at most. */
  function counting(): Lane & { calls: number } {
    const lane = createLane(clock, () => false)
    const counted = { calls: 0, run: lane.run }
    counted.run = (place, call, deadlineMs) => {
      counted.calls++
      return lane.run(place, call, deadlineMs)
    }
    return counted
  }

  it('finds the newest of ten thousand, and looks at few of them after that', async () => {
    for (let index = 0; index < 10_000; index++) put(`база-${index}.dt`, EVENING_MS - index * 1_000)
    const lane = counting()
    const scanner = createScanner(directory, '*.dt', lane, clock)
    const newest = async () => {
      const { files, isComplete } = await scanner.scan()
      expect(isComplete).toBe(true)
      return files.map(file => path.basename(file.path))
    }
    expect((await newest())[0]).toBe('база-0.dt')
    lane.calls = 0
    clock.advance(60_000)
    expect((await newest())[0]).toBe('база-0.dt')
    expect(lane.calls).toBeLessThanOrEqual(2)
    put('новая.dt', EVENING_MS + 5_000)
    clock.advance(60_000)
    lane.calls = 0
    expect((await newest())[0]).toBe('новая.dt')
    expect(lane.calls).toBeLessThanOrEqual(14)
    rmSync(path.join(directory, 'новая.dt'))
    clock.advance(60_000)
    expect((await newest())[0]).toBe('база-0.dt')
    // Written over in place: the directory's own time does not tell.
    put('база-9000.dt', EVENING_MS + 9_000)
    for (let minute = 0; minute < 300; minute++) {
      clock.advance(1_800_000)
      if ((await newest())[0] === 'база-9000.dt') return
    }
    expect.unreachable('it was not found')
  }, 60_000)

  it('says that it has not seen all while there is more than one scan looks at', async () => {
    const names = Array.from({ length: 25_000 }, (_, index) => `${index}.dt`)
    for (const name of names) writeFileSync(path.join(directory, name), '')
    const scanner = createScanner(
      directory,
      '*.dt',
      createLane(clock, () => false),
      clock,
    )
    expect((await scanner.scan()).isComplete).toBe(false)
    expect((await scanner.scan()).isComplete).toBe(true)
  }, 60_000)

  it('goes into folders by the pattern', async () => {
    for (const folder of ['2026-11-24', '2026-11-25', 'прочее/глубже'])
      mkdirSync(path.join(directory, folder), { recursive: true })
    for (const name of ['0.dt', '2026-11-24/1.dt', '2026-11-25/2.dt', 'прочее/глубже/3.dt']) put(name, EVENING_MS)
    const names = async (pattern: string) => {
      const { files } = await createScanner(
        directory,
        pattern,
        createLane(clock, () => false),
        clock,
      ).scan()
      return files.map(file => path.relative(directory, file.path)).toSorted()
    }
    expect(await names('*.dt')).toEqual(['0.dt'])
    expect(await names('2026-*/*.dt')).toEqual(['2026-11-24/1.dt', '2026-11-25/2.dt'])
    expect(await names('**/*.dt')).toHaveLength(4)
    for (const folder of ['$RECYCLE.BIN/S-1-5-18', 'System Volume Information'])
      mkdirSync(path.join(directory, folder), { recursive: true })
    put('$RECYCLE.BIN/S-1-5-18/удалена.dt', EVENING_MS)
    put('System Volume Information/4.dt', EVENING_MS)
    expect(await names('**/*.dt')).toHaveLength(4)
  })

  it('finds the newest in any of a year of folders, and says when there are too many', async () => {
    const folder = (day: number) => new Date(EVENING_MS - day * 86_400_000).toISOString().slice(0, 10)
    const make = (from: number, to: number) => {
      for (let day = from; day < to; day++) mkdirSync(path.join(directory, folder(day)))
    }
    const scanner = createScanner(
      directory,
      '*/*.dt',
      createLane(clock, () => false),
      clock,
    )
    make(0, 400)
    for (let day = 0; day < 400; day++) put(`${folder(day)}/1.dt`, EVENING_MS - day * 86_400_000)
    const { files } = await scanner.scan()
    expect(Math.max(...files.map(file => file.modifiedAtMs))).toBe(EVENING_MS)
    make(400, 2_001)
    await expect(scanner.scan()).rejects.toThrow('over 2000 folders')
  }, 60_000)

  it('does not take for empty what lets itself be listed and not be looked at', async () => {
    symlinkSync('1.dt', path.join(directory, '1.dt'))
    const scanner = createScanner(
      directory,
      '*.dt',
      createLane(clock, () => false),
      clock,
    )
    await expect(scanner.scan()).rejects.toThrow('ELOOP')
    put('2.dt', EVENING_MS)
    expect((await scanner.scan()).files).toHaveLength(1)
  })

  it('fails where there is no directory', async () => {
    renameSync(directory, `${directory}-away`)
    await expect(
      createScanner(
        directory,
        '*',
        createLane(clock, () => false),
        clock,
      ).scan(),
    ).rejects.toThrow('ENOENT')
    renameSync(`${directory}-away`, directory)
  })
})
