import { expect, test } from 'vitest'
import { budgetBytes, overBudget, totalBytes } from '../../../relay/tenant/budget.ts'
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

test('a budget is 2 MB a host and at least 64 MB; ingest stops at a quarter more', () => {
  expect([0, 1, 32, 33, 1_000].map(hosts => budgetBytes(hosts) / MB)).toEqual([64, 64, 64, 66, 2_000])
  expect(totalBytes(32) / MB).toBe(80)
})

test('what is within age and size stays', () => {
  expect(overBudget([row(1, NOW - 24 * HOUR, MB), row(2, NOW, 63 * MB)], 1, NOW)).toEqual([])
  expect(overBudget([], 1, NOW)).toEqual([])
})

test('the oldest go by age', () => {
  const rows = [row(1, NOW - 24 * HOUR - 1, 1), row(2, NOW - 24 * HOUR - 1, 1), row(3, NOW - HOUR, 1)]
  expect(overBudget(rows, 1, NOW).map(({ seq }) => seq)).toEqual([1, 2])
})

test('the oldest go by size, no more of them than must', () => {
  const rows = [1, 2, 3, 4].map(seq => row(seq, NOW, 20 * MB))
  expect(overBudget(rows, 1, NOW).map(({ seq }) => seq)).toEqual([1])
  expect(overBudget(rows, 40, NOW)).toEqual([])
})

test('rows that came late behind newer ones are dropped only when it is their turn', () => {
  const rows = [row(1, NOW, 1), row(2, NOW - 25 * HOUR, 1)]
  expect(overBudget(rows, 1, NOW)).toEqual([])
})
