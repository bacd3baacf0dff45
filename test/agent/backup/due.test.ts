import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { lastMissed, localTime, nextDue } from '../../../agent/backup/due.ts'
import { backupConfig, hostConfig } from '../../../shared/host-config.ts'

const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime()
const NIGHTLY = { schedule: [{ from: '23:00', due: '06:00' }] }
const text = (ms: number | undefined) => ms && localTime(ms)

describe('nextDue', () => {
  it.each([
    ['after the backup of last night', at(25, 23, 40), '2026-11-27 06:00'],
    ['after one that was late', at(26, 7), '2026-11-27 06:00'],
    ['after one by hand at noon, which is not the nightly one', at(25, 12), '2026-11-26 06:00'],
    ['after midnight', at(26, 1), '2026-11-27 06:00'],
  ])('of a nightly backup %s', (_, goodAtMs, due) => {
    expect(text(nextDue(NIGHTLY, goodAtMs))).toBe(due)
  })

  it('leaves out days on which none is made', () => {
    const schedule = [{ from: '23:00', due: '06:00', days: ['mon' as const, 'fri' as const] }]
    // 2026-11-27 is a Friday.
    expect(text(nextDue({ schedule }, at(27, 23, 30)))).toBe('2026-12-01 06:00')
  })

  it('takes the first of several windows, and of schedule and age', () => {
    const schedule = [...NIGHTLY.schedule, { from: '12:00', due: '14:00' }]
    expect(text(nextDue({ schedule }, at(25, 23, 40)))).toBe('2026-11-26 14:00')
    expect(text(nextDue({ ...NIGHTLY, maxAgeMs: 3_600_000 }, at(25, 23, 40)))).toBe('2026-11-26 00:40')
    expect(nextDue({}, at(25, 23))).toBeUndefined()
  })
})

describe('lastMissed', () => {
  it('is one for each night without a backup', () => {
    expect(lastMissed(NIGHTLY, at(25, 23, 40), at(27, 5))).toBeUndefined()
    expect(text(lastMissed(NIGHTLY, at(25, 23, 40), at(27, 6)))).toBe('2026-11-27 06:00')
    expect(text(lastMissed(NIGHTLY, at(1, 23, 40), at(27, 7)))).toBe('2026-11-27 06:00')
    expect(text(lastMissed({ maxAgeMs: 3_600_000 }, at(1, 0), at(27, 7)))).toBe('2026-11-01 01:00')
  })
})

describe('in a zone with summer time', () => {
  beforeAll(() => {
    vi.stubEnv('TZ', 'Europe/Berlin')
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })
  it('keeps the time of day', () => {
    const due = nextDue(NIGHTLY, new Date(2026, 9, 24, 22, 0).getTime())
    expect(text(due)).toBe('2026-10-25 06:00')
    expect((due ?? 0) - new Date(2026, 9, 24, 23, 0).getTime()).toBe(8 * 3_600_000)
  })
})

describe('the configuration of a backup', () => {
  const problem = (more: object) => backupConfig.safeParse({ name: 'ут11', ...more }).error?.issues[0]?.message
  it('takes what older ones had', () => {
    expect(
      backupConfig.parse({ name: 'ут11', directory: 'D:\\Backup', maxAgeMs: 90_000_000, minSizeBytes: 1 }),
    ).toEqual({
      name: 'ут11',
      directory: 'D:\\Backup',
      maxAgeMs: 90_000_000,
      minSizeBytes: 1,
    })
  })
  it('has a name of its own', () => {
    const backups = [{ name: 'ут11' }, { name: ' ут11 ' }]
    expect(hostConfig.safeParse({ backups }).error?.issues[0]?.message).toBe('two backups have one name')
  })
  it.each([
    [{ schedule: [{ from: '24:00', due: '06:00' }] }, 'a time of day has hours and minutes, for example "23:00"'],
    [{ mssql: { server: '-Q x', database: 'ut' } }, 'a server is HOST, HOST\\INSTANCE or HOST,PORT, without blanks'],
    [{ mssql: { server: 'a b', database: 'ut' } }, 'a server is HOST, HOST\\INSTANCE or HOST,PORT, without blanks'],
  ])('refuses %j in a sentence', (more, message) => {
    expect(problem(more)).toBe(message)
  })
})
