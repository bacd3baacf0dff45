import { expect, test } from 'vitest'
import { budgetOf, mergeBudget, overBudget, totalBytes } from '../../../relay/tenant/budget.ts'
import type { RowEntry } from '../../../relay/tenant/outbox.ts'
import { NOW } from './fixtures.ts'

const MB = 1024 * 1024
const HOUR = 3_600_000

const row = (seq: number, atMs: number, bytes: number): RowEntry => ({
  seq,
  slot: seq,
  atMs,
  bytes,
  batches: 1,
  samples: 45,
  removal: false,
})

const BUDGET = budgetOf({}, 1)

test('a budget is 24 h, 2 MB a host and at least 64 MB, unless one was chosen', () => {
  expect([0, 1, 32, 33, 1_000].map(hosts => budgetOf({}, hosts).bytes / MB)).toEqual([64, 64, 64, 66, 2_000])
  expect(BUDGET.ageMs).toBe(24 * HOUR)
  expect(budgetOf({ ageMs: HOUR }, 40)).toEqual({ ageMs: HOUR, bytes: 80 * MB })
  expect(budgetOf({ bytes: MB }, 1_000)).toEqual({ ageMs: 24 * HOUR, bytes: MB })
})

test('an edit changes what it names, and null goes back to the default', () => {
  expect(mergeBudget({ ageMs: HOUR, bytes: MB }, { bytes: 2 * MB })).toEqual({ ageMs: HOUR, bytes: 2 * MB })
  expect(mergeBudget({ ageMs: HOUR, bytes: MB }, { ageMs: null })).toEqual({ bytes: MB })
  expect(mergeBudget({ ageMs: HOUR })).toEqual({ ageMs: HOUR })
})

test('ingest stops at a quarter more than the largest budget, and no small one turns posts away', () => {
  const total = (...sizes: readonly number[]) => totalBytes(sizes.map(size => budgetOf({ bytes: size * MB }, 1))) / MB
  expect([total(64, 200, 100), total(64), total(1), total()]).toEqual([250, 80, 80, 80])
})

test('what is within age and size stays', () => {
  expect(overBudget([row(1, NOW - 24 * HOUR, MB), row(2, NOW, 63 * MB)], BUDGET, NOW)).toEqual([])
  expect(overBudget([], BUDGET, NOW)).toEqual([])
})

test('the oldest go by age', () => {
  const rows = [row(1, NOW - 24 * HOUR - 1, 1), row(2, NOW - 24 * HOUR - 1, 1), row(3, NOW - HOUR, 1)]
  expect(overBudget(rows, BUDGET, NOW).map(({ seq }) => seq)).toEqual([1, 2])
  expect(overBudget(rows, { ...BUDGET, ageMs: HOUR - 1 }, NOW)).toEqual(rows)
})

test('the oldest go by size, no more of them than must', () => {
  const rows = [1, 2, 3, 4].map(seq => row(seq, NOW, 20 * MB))
  expect(overBudget(rows, BUDGET, NOW).map(({ seq }) => seq)).toEqual([1])
  expect(overBudget(rows, { ...BUDGET, bytes: 20 * MB }, NOW).map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(overBudget(rows, { ...BUDGET, bytes: 80 * MB }, NOW)).toEqual([])
})

test('rows that came late behind newer ones are dropped only when it is their turn', () => {
  const rows = [row(1, NOW, 1), row(2, NOW - 25 * HOUR, 1)]
  expect(overBudget(rows, BUDGET, NOW)).toEqual([])
})
