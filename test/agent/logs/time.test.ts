import { describe, expect, it } from 'vitest'
import { entryTime, hostLocalClock, isTooLate, type LocalClock, timeOf } from '../../../agent/logs/time.ts'

/** A host in Moscow: UTC+3 all year. */
const moscow: LocalClock = ({ year, month, day, hour, minute, second, ms }) =>
  Date.UTC(year, month - 1, day, hour - 3, minute, second, ms)
const utc = (text: string) => Date.parse(text)

describe('timeOf', () => {
  it.each([
    ['2024-01-01 12:00:00,123 - INFO - x', '2024-01-01T09:00:00.123Z'],
    ['2024-01-01 12:00:00 x', '2024-01-01T09:00:00.000Z'],
    ['2024-01-01T12:00:00.5 x', '2024-01-01T09:00:00.500Z'],
    ['2024-01-01T12:00:00.123456Z x', '2024-01-01T12:00:00.123Z'],
    ['2024-01-01T12:00:00+05:00 x', '2024-01-01T07:00:00.000Z'],
    ['2024-01-01 12:00:00 +0530 x', '2024-01-01T06:30:00.000Z'],
    ['[2024/01/01 12:00:00] x', '2024-01-01T09:00:00.000Z'],
    ['01.02.2024 12:00:00 Ошибка', '2024-02-01T09:00:00.000Z'],
    ['[31.12.2023, 23:59:59.999] x', '2023-12-31T20:59:59.999Z'],
    ['{"time":1704110400123,"msg":"x"}', '2024-01-01T12:00:00.123Z'],
    ['{"ts":1704110400.5,"msg":"x"}', '2024-01-01T12:00:00.500Z'],
    ['{"@timestamp":"2024-01-01T12:00:00Z"}', '2024-01-01T12:00:00.000Z'],
  ])('%s', (line, expected) => {
    expect(timeOf(line, moscow)).toBe(utc(expected))
  })

  it.each([
    'просто строка',
    'backup of 2024-01-01 12:00:00 done',
    '2024-13-01 12:00:00 x',
    '2024-01-01 25:00:00 x',
    '2024-01-01',
    '{"msg":"2024-01-01 12:00:00"}',
    '',
  ])('%s has none', line => {
    expect(timeOf(line, moscow)).toBeUndefined()
  })

  it('is in the zone of the host when the line says none', () => {
    expect(timeOf('2024-07-01 12:00:00 x', hostLocalClock)).toBe(new Date(2024, 6, 1, 12).getTime())
  })
})

describe('entryTime', () => {
  const now = utc('2024-01-10T12:00:00Z')
  it.each([
    ['its own', now - 5_000, null, now - 5_000],
    ['its own, after the one before', now - 5_000, now - 6_000, now - 5_000],
    ['just after the one before, in the same second', now - 5_000, now - 5_000, now - 4_999],
    ['just after the one before, when it goes back', now - 9_000, now - 5_000, now - 4_999],
    ['that of reading, without one', undefined, null, now],
    ['that of reading, from the future', now + 1, null, now],
    ['that of reading, when Loki would refuse it', now - 7 * 86_400_000, null, now],
    ['a little later, for many without one', undefined, now, now + 1],
    ['that of reading, after the clock was put back', undefined, now + 3_600_000, now],
  ])('is %s', (_, own, last, expected) => {
    expect(entryTime(own, now, last)).toBe(expected)
  })

  it('is too late for its stream behind the newest by an hour', () => {
    expect(isTooLate(now - 49 * 60_000, now)).toBe(false)
    expect(isTooLate(now - 51 * 60_000, now)).toBe(true)
    expect(isTooLate(0, undefined)).toBe(false)
  })
})
