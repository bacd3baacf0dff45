/** What the object counts of itself. Lives in memory and in the checkpoint; `state.ts` raises it. */
export interface Counters {
  /** Batches stored; a duplicate is none. */
  acceptedBatches: number
  /** Batches answered `backlog_full`, by the bound that was reached: bytes in memory, or bytes of the whole outbox. */
  readonly refusedBatches: Record<RefusalReason, number>
  /**
   * Billed rows written, one for each alarm set included. After a restart those since the last checkpoint are known
   * again where they are rows of the outbox; of others (a changed host, an alarm) there are a few at most.
   */
  rowsWritten: number
  /** Events, oldest first, because there were too many. */
  droppedEvents: number
  /** Backups of hosts that report too many, those heard of longest ago. */
  droppedBackups: number
}

export type RefusalReason = 'memory' | 'total'

export const newCounters = (): Counters => ({
  acceptedBatches: 0,
  refusedBatches: { memory: 0, total: 0 },
  rowsWritten: 0,
  droppedEvents: 0,
  droppedBackups: 0,
})

/** As a checkpoint of this release or its neighbours has them: what is not there was never counted. */
export function readCounters(stored: Partial<Counters> | undefined): Counters {
  const none = newCounters()
  return { ...none, ...stored, refusedBatches: { ...none.refusedBatches, ...stored?.refusedBatches } }
}
