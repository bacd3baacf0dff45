import { expect, test } from 'vitest'
import { backOffMs, parseRetryAfter } from '../../shared/outcome.ts'

const NOW = Date.UTC(2026, 10, 23, 4, 0, 0)
const MAX = 300_000

test.each([
  ['7', 7_000],
  ['0', 0],
  [' 12 ', 12_000],
  ['Mon, 23 Nov 2026 04:00:30 GMT', 30_000],
  ['Monday, 23-Nov-26 04:00:30 GMT', 30_000],
  ['Mon, 23 Nov 2026 03:00:00 GMT', 0],
  ['Tue, 24 Nov 2026 04:00:00 GMT', MAX],
  ['301', MAX],
  ['9'.repeat(400), MAX],
])('Retry-After %j is %i ms', (header, afterMs) => {
  expect(parseRetryAfter(header, NOW, MAX)).toBe(afterMs)
})

test.each([null, undefined, '', '   ', 'soon', '1e3 s'])('Retry-After %j says nothing', header => {
  expect(parseRetryAfter(header, NOW, MAX)).toBeUndefined()
})

test.each(['-5', '1.5', '+7'])('one that breaks the rule is never negative: %j', header => {
  const afterMs = parseRetryAfter(header, NOW, MAX) ?? 0
  expect(afterMs).toBeGreaterThanOrEqual(0)
  expect(afterMs).toBeLessThanOrEqual(MAX)
})

test.each([1, 2, 3, 8, 30, 31, 1_000, 100_000])(
  'back-off %i: half fixed, half random, never over the most',
  attempt => {
    const ceiling = Math.min(MAX, 1_000 * 2 ** Math.min(attempt - 1, 30))
    expect(backOffMs(attempt, 0, 1_000, MAX)).toBe(ceiling / 2)
    expect(backOffMs(attempt, 0.5, 1_000, MAX)).toBe(ceiling * 0.75)
    expect(backOffMs(attempt, 1 - Number.EPSILON, 1_000, MAX)).toBeLessThanOrEqual(ceiling)
  },
)
