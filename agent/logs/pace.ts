import type { LogFileConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { type Allowance, mostFor, refill, spend } from './allowance.ts'
import { perMinute } from './select.ts'

/** How fast files may go: entries of each, items of all, and how long an unfinished end waits. In memory only. */
export interface Pace {
  /** Entries that a file may ship now; `id` 0 for one that is new. */
  allowed(source: LogFileConfig, id: number): number
  /** Items that may be added now, all files together. */
  items(): number
  spendEntries(id: number, entries: number): void
  spendItems(items: number): void
  /** The file was read and had this size. */
  noteEnd(id: number, sizeBytes: number): void
  /** It has had this size for long enough: what it ends with will not be continued. */
  isSettled(id: number, sizeBytes: number): boolean
  /** Forgets all files but these. */
  keep(ids: ReadonlySet<number>): void
}

/** Items of a few kilobytes that logs may add. */
const ITEMS_PER_MINUTE = 8
/** A line without an end, or an entry that could go on, waits this long for more. */
const SETTLE_MS = 5_000

export function createPace(clock: Clock, intervalMs: () => number): Pace {
  const entries = new Map<number, Allowance>()
  const ends = new Map<number, { readonly sizeBytes: number; readonly sinceMs: number }>()
  let items: Allowance | undefined

  const grow = (before: Allowance | undefined, rate: number) =>
    refill(before, rate, mostFor(rate, intervalMs()), clock.monoMs())

  return {
    allowed(source, id) {
      const allowance = grow(entries.get(id), perMinute(source))
      if (id !== 0) entries.set(id, allowance)
      return Math.floor(allowance.left)
    },
    items() {
      items = grow(items, ITEMS_PER_MINUTE)
      return Math.floor(items.left)
    },
    spendEntries(id, amount) {
      const allowance = entries.get(id)
      if (allowance) entries.set(id, spend(allowance, amount))
    },
    spendItems(amount) {
      if (items) items = spend(items, amount)
    },
    noteEnd(id, sizeBytes) {
      if (ends.get(id)?.sizeBytes !== sizeBytes) ends.set(id, { sizeBytes, sinceMs: clock.monoMs() })
    },
    isSettled(id, sizeBytes) {
      const end = ends.get(id)
      return end?.sizeBytes === sizeBytes && clock.monoMs() - end.sinceMs >= SETTLE_MS
    },
    keep(ids) {
      for (const known of [entries, ends]) for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
  }
}
