import { expect, test } from 'vitest'
import { displayName, hostConfig, mergeHostConfig, RESERVED_LABELS } from '../../shared/host-config.ts'

const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `ут-${index}` }))

const FULL = {
  intervalMs: 5_000,
  labels: { site: 'Москва, центр' },
  backups: [
    { name: 'Зарплата 3.1', directory: 'D:\\Бэкапы\\', pattern: '*.dt', maxAgeMs: 86_400_000, minSizeBytes: 1 },
  ],
  volumes: ['C:', 'D:'],
  logFiles: [{ path: 'D:\\Logs\\1c.log', encoding: 'cp866' }],
}

test('a whole configuration, and an empty one', () => {
  expect(hostConfig.parse(FULL)).toEqual(FULL)
  expect(hostConfig.parse({})).toEqual({})
})

test('what a newer release adds is ignored', () => {
  expect(hostConfig.parse({ intervalMs: 5_000, colour: 'red' })).toEqual({ intervalMs: 5_000 })
})

const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, 'x']))

test.each([
  [{ intervalMs: 1_000 }, { intervalMs: 999 }],
  [{ intervalMs: 3_600_000 }, { intervalMs: 3_600_001 }],
  [{ intervalMs: 1_001 }, { intervalMs: 1_000.5 }],
  [{ labels: labels(10) }, { labels: labels(11) }],
  [{ labels: { a: 'x'.repeat(256) } }, { labels: { a: 'x'.repeat(257) } }],
  [{ labels: { _a1: 'x' } }, { labels: { __a: 'x' } }],
  [{ labels: { a1: 'x' } }, { labels: { '1a': 'x' } }],
  [{ labels: { a: 'x' } }, { labels: { a: '' } }],
  [{ labels: { a: 'Ж' } }, { labels: { Ж: 'a' } }],
  [{ labels: { a: 'x' } }, { labels: { a: 'x\ny' } }],
  [{ backups: named(50) }, { backups: named(51) }],
  [{ backups: named(2) }, { backups: [...named(2), { name: ' ут-1 ' }] }],
  [{ backups: [{ name: 'x'.repeat(128) }] }, { backups: [{ name: 'x'.repeat(129) }] }],
  [{ backups: [{ name: 'a', maxAgeMs: 60_000 }] }, { backups: [{ name: 'a', maxAgeMs: 59_999 }] }],
  [{ backups: [{ name: 'a', minSizeBytes: 1 }] }, { backups: [{ name: 'a', minSizeBytes: 0 }] }],
  [{ volumes: Array(32).fill('C:') }, { volumes: Array(33).fill('C:') }],
  [{ logFiles: Array(20).fill({ path: 'a' }) }, { logFiles: Array(21).fill({ path: 'a' }) }],
  [{ logFiles: [{ path: 'a', encoding: 'cp1251' }] }, { logFiles: [{ path: 'a', encoding: 'koi8-r' }] }],
  [{ logFiles: [{ path: 'a', encoding: 'utf-16be' }] }, { logFiles: [{ path: 'a', encoding: 'auto' }] }],
  [{ logFiles: [{ path: 'a', format: '1c-tech' }] }, { logFiles: [{ path: 'a', format: 'json' }] }],
  [{ logFiles: [{ path: 'a', level: 'warn' }] }, { logFiles: [{ path: 'a', level: 'fatal' }] }],
  [{ logFiles: [{ path: 'a', maxLinesPerMinute: 6_000 }] }, { logFiles: [{ path: 'a', maxLinesPerMinute: 6_001 }] }],
  [{ logFiles: [{ path: 'a', from: 'start' }] }, { logFiles: [{ path: 'a', from: 'middle' }] }],
])('%j is taken, %j is refused', (good, bad) => {
  expect(hostConfig.safeParse(good).success).toBe(true)
  expect(hostConfig.safeParse(bad).success).toBe(false)
})

test.each([...RESERVED_LABELS])('nobody sets the label %s', name => {
  expect(hostConfig.safeParse({ labels: { [name]: 'x' } }).success).toBe(false)
})

test('names of people are of any script, trimmed, on one line', () => {
  expect(displayName.parse('  ООО «Ромашка»  ')).toBe('ООО «Ромашка»')
  for (const bad of ['', '   ', 'a\u0000b', 'a\tb', '\ud800'])
    expect(displayName.safeParse(bad).success, bad).toBe(false)
})

test('of the layers the first that has a field wins it', () => {
  expect(
    mergeHostConfig({ intervalMs: 5_000 }, { intervalMs: 7_000, volumes: ['C:'] }, { labels: { a: 'b' } }),
  ).toEqual({
    intervalMs: 5_000,
    volumes: ['C:'],
    labels: { a: 'b' },
  })
  expect(mergeHostConfig()).toEqual({})
})
