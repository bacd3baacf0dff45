import type { Tally } from './pack.ts'

/** Since the agent started, all files together. */
export interface LogTotals {
  entriesSpooled: number
  /** Entries left out because a file was over its rate. */
  entriesLeftOut: number
  /** Bytes passed over because a file was too far ahead. */
  bytesPassedOver: number
}

/** What became of each file's lines since the agent started. */
export interface Tallies {
  add(tally: Tally): void
  of(id: number): LogTotals
  /** Left out, and no entry has told of it yet. */
  untold(id: number): { readonly lines: number; readonly bytes: number }
  /** Forgets all files but these. */
  keep(ids: ReadonlySet<number>): void
  readonly totals: LogTotals
}

const none = (): LogTotals => ({ entriesSpooled: 0, entriesLeftOut: 0, bytesPassedOver: 0 })

export function createTallies(): Tallies {
  const files = new Map<number, LogTotals>()
  const untold = new Map<number, { lines: number; bytes: number }>()
  const totals = none()

  return {
    add({ id, entries, leftOut, passedBytes, told }) {
      const file = files.get(id) ?? none()
      for (const sum of [file, totals]) {
        sum.entriesSpooled += entries
        sum.entriesLeftOut += leftOut
        sum.bytesPassedOver += passedBytes
      }
      files.set(id, file)
      const { lines, bytes } = untold.get(id) ?? { lines: 0, bytes: 0 }
      if (told) untold.delete(id)
      else if (leftOut > 0 || passedBytes > 0) untold.set(id, { lines: lines + leftOut, bytes: bytes + passedBytes })
    },
    of: id => files.get(id) ?? none(),
    untold: id => untold.get(id) ?? { lines: 0, bytes: 0 },
    keep(ids) {
      for (const known of [files, untold]) for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    },
    totals,
  }
}
