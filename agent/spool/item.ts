import type { BackupReport, Entry, Snapshot } from '../../shared/wire.ts'
import type { LogProgress } from '../logs/position.ts'

/** What one collection puts on disk: one record. */
export interface SpoolItem {
  readonly atMs: number
  readonly snapshot?: Snapshot
  readonly backups?: readonly BackupReport[]
  readonly entries?: readonly Entry[]
  /** Names of the report files that `backups` and `entries` come from: a restart does not take them twice. */
  readonly reports?: readonly string[]
  /** How far the log files were read that `entries` come from: a restart goes on from there. */
  readonly logs?: LogProgress
}

/** Some items under an id of their own, fixed on disk before the first attempt: a re-send repeats them exactly. */
export interface FixedBatch {
  readonly id: string
  readonly seq: number
  readonly items: readonly SpoolItem[]
}

/** What waits behind a batch. */
export interface Behind {
  readonly batches: number
  readonly oldestAtMs: number | null
}

export const encodeItem = (item: SpoolItem): Buffer => Buffer.from(JSON.stringify(item))

/** Only for what {@link encodeItem} made: a record's checksum has vouched for it. */
export const decodeItem = (payload: Buffer): SpoolItem => JSON.parse(payload.toString('utf8')) as SpoolItem

export const countSnapshots = (items: readonly SpoolItem[]): number =>
  items.filter(item => item.snapshot !== undefined).length

/** What is lost with items. */
export interface Loss {
  readonly snapshots: number
  readonly entries: number
}

export const lossOf = (items: readonly SpoolItem[]): Loss => ({
  snapshots: countSnapshots(items),
  entries: items.reduce((sum, { entries = [] }) => sum + entries.length, 0),
})

export const addLoss = (a: Loss, b: Loss): Loss => ({
  snapshots: a.snapshots + b.snapshots,
  entries: a.entries + b.entries,
})

export const NO_LOSS: Loss = { snapshots: 0, entries: 0 }

/** What of an item goes over the wire. */
export const wireParts = ({ snapshot, backups, entries }: SpoolItem): Omit<SpoolItem, 'atMs'> => ({
  ...(snapshot && { snapshot }),
  ...(backups && { backups }),
  ...(entries && { entries }),
})
