import * as z from 'zod'
import { randomId } from '../../shared/wire.ts'

const count = z.int().min(0)

/** All that the spool must know beside its records. Record numbers begin at 1. */
export const spoolState = z.object({
  /** The spool's own id, on the wire. */
  id: randomId,
  nextSeq: count,
  /** Every record up to this number is done with. */
  doneTo: count,
  /** Snapshots lost to a bound, a full disk or a bad sector since the spool was made. */
  dropped: count,
  /** Entries that were lost so; absent in a state of an older release. */
  droppedEntries: count.default(0),
  /** Gaps in the numbers up to here are in `dropped` already. */
  gapsCountedTo: count,
  /** The batch that is being shipped: the records between two numbers, and the CRC-32 of their payloads. */
  batch: z.object({ id: randomId, seq: count, first: count, last: count, records: count, checksum: count }).nullable(),
  /**
   * A batch that a bound took while it may have been on its way: what is in it is lost only when that attempt ends
   * without a yes. Absent in a state of an older release.
   */
  givenUp: z.object({ id: randomId, first: count, last: count, snapshots: count, entries: count.default(0) }).nullish(),
})
export type SpoolState = z.output<typeof spoolState>

export function newSpoolState(id: string): SpoolState {
  return { id, nextSeq: 1, doneTo: 0, dropped: 0, droppedEntries: 0, gapsCountedTo: 0, batch: null, givenUp: null }
}

/** Missing numbers between `floor` and the last of `numbers`, which grow. */
export function countGaps(floor: number, numbers: readonly number[]): number {
  const above = numbers.filter(number => number > floor)
  return Math.max((above.at(-1) ?? floor) - floor - above.length, 0)
}
