import type { RowEntry } from './outbox.ts'
import type { Budget, BudgetEdit } from './rpc.ts'

const MIN_DEFAULT_BYTES = 64 * 1024 * 1024
const DEFAULT_BYTES_PER_HOST = 2 * 1024 * 1024
const DEFAULT_AGE_MS = 24 * 3_600_000

/** What a destination may hold back: `chosen` where an operator said so, else what so many hosts get. */
export function budgetOf(chosen: Partial<Budget>, hosts: number): Budget {
  return { ageMs: DEFAULT_AGE_MS, bytes: Math.max(MIN_DEFAULT_BYTES, hosts * DEFAULT_BYTES_PER_HOST), ...chosen }
}

/** `before` with `edit` over it: null goes back to the default, what is absent stays. */
export function mergeBudget(before: Partial<Budget>, edit: BudgetEdit = {}): Partial<Budget> {
  return Object.fromEntries(Object.entries({ ...before, ...edit }).filter(([, value]) => value !== null))
}

/**
 * Above this the object takes no more: a quarter more than the largest of its destinations' budgets. Destinations drop
 * first, so only a fault leads here; a budget so small that a few posts exceed it must not turn them away.
 */
export function totalBytes(budgets: readonly Budget[]): number {
  return Math.max(...budgets.map(({ bytes }) => bytes), MIN_DEFAULT_BYTES) * 1.25
}

/** The oldest rows that must go so that the rest is within age and size. */
export function overBudget(rows: readonly RowEntry[], budget: Budget, now: number): readonly RowEntry[] {
  let bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  let drop = 0
  for (const row of rows) {
    if (bytes <= budget.bytes && row.atMs >= now - budget.ageMs) break
    bytes -= row.bytes
    drop += 1
  }
  return rows.slice(0, drop)
}
