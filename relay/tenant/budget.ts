import type { RowEntry } from './outbox.ts'

const MIN_BUDGET_BYTES = 64 * 1024 * 1024
const BUDGET_BYTES_PER_HOST = 2 * 1024 * 1024
const MAX_AGE_MS = 24 * 3_600_000

/** Bytes of undelivered rows that one destination may hold back. */
export function budgetBytes(hosts: number): number {
  return Math.max(MIN_BUDGET_BYTES, hosts * BUDGET_BYTES_PER_HOST)
}

/** Above this the object takes no more: destinations drop first, so only a fault leads here. */
export function totalBytes(hosts: number): number {
  return budgetBytes(hosts) * 1.25
}

/** The oldest rows that must go so that the rest is within age and size. */
export function overBudget(rows: readonly RowEntry[], hosts: number, now: number): readonly RowEntry[] {
  const most = budgetBytes(hosts)
  let bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  let drop = 0
  for (const row of rows) {
    if (bytes <= most && row.atMs >= now - MAX_AGE_MS) break
    bytes -= row.bytes
    drop += 1
  }
  return rows.slice(0, drop)
}
