import { decode, encode } from '@msgpack/msgpack'
import type { BackupReport, Entry, Snapshot, WireBatch } from '../../shared/wire.ts'
import type { SeriesName } from '../sinks/sink.ts'

/** Release N writes this and reads N±1: items carry names, so a field more or less is no obstacle. */
const ROW_VERSION = 1

/** An accepted batch: what the object has to know of it, and its body as it came. */
export interface BatchItem {
  readonly kind: 'batch'
  readonly hostId: string
  readonly id: string
  readonly seq: number
  readonly receivedAtMs: number
  /** When the next post was granted. */
  readonly dueAtMs: number
  readonly sentAtMs: number
  readonly newestAtMs: number | null
  /** Taken off its times, host clock minus relay clock; absent: its clock was right. */
  readonly offsetMs?: number
  readonly samples: number
  readonly agent: WireBatch['agent']
  readonly spool: WireBatch['spool']
  readonly backups: readonly BackupReport[]
  readonly gzip: boolean
  readonly body: Uint8Array
}

/** What the relay itself says: of a host, or (hostId null) of its deliveries. */
export interface RelayItem {
  readonly kind: 'relay'
  readonly atMs: number
  readonly samples: number
  readonly says: readonly {
    readonly hostId: string | null
    readonly snapshot: Pick<Snapshot, 'metrics'> & { readonly series: NonNullable<Snapshot['series']> }
    readonly entries: readonly Entry[]
  }[]
}

/** A host was removed: sinks that keep state per host forget it. */
export interface RemovalItem {
  readonly kind: 'removal'
  readonly atMs: number
  readonly hostId: string
  /** Those that it had at last; absent in rows of the release before. */
  readonly series?: readonly SeriesName[]
}

/** A dead letter on its way again to the destination that refused it; nobody else takes it. A row of its own. */
export interface ReplayItem {
  readonly kind: 'replay'
  readonly atMs: number
  readonly destinationId: string
  readonly samples: number
  /** As `dead-letter-body.ts` writes it. */
  readonly body: Uint8Array
}

export type Item = BatchItem | RelayItem | RemovalItem | ReplayItem

/** What an item takes beside its body and the texts of its backups. */
const ITEM_BYTES = 1024
const REPORT_BYTES = 256

/** Bytes of a batch in a row, rather more than less: what bounds of memory and of rows count. */
export function sizeBytes(item: BatchItem): number {
  const texts = item.backups.reduce((sum, { name, reason }) => sum + name.length + (reason?.length ?? 0), 0)
  // A UTF-16 unit is at most three bytes of UTF-8.
  return ITEM_BYTES + item.body.length + item.backups.length * REPORT_BYTES + texts * 3
}

/**
 * One row of the outbox: the items that were committed together. Replays stand beside the items: a release that knows
 * none finds a row without items and passes over it, where an item of a kind unknown to it would stop every pump.
 */
export function encodeRow(items: readonly Item[]): Uint8Array {
  const replays = items.filter(({ kind }) => kind === 'replay')
  if (replays.length === 0) return encode({ v: ROW_VERSION, items }, { ignoreUndefined: true })
  return encode({ v: ROW_VERSION, items: items.filter(({ kind }) => kind !== 'replay'), replays })
}

/** @throws Error when the bytes are not a row that this release reads */
export function decodeRow(bytes: Uint8Array): readonly Item[] {
  const row = decode(bytes) as { v?: unknown; items?: unknown; replays?: Item[] }
  if (typeof row?.v !== 'number' || row.v > ROW_VERSION + 1 || !Array.isArray(row.items))
    throw new Error(`outbox row of version ${String(row?.v)} is not readable by this release`)
  return row.replays ? [...(row.items as Item[]), ...row.replays] : (row.items as Item[])
}

/** The only destination that a row is for; absent: it is for all. */
export function destinationOf(items: readonly Item[]): string | undefined {
  return items.find(item => item.kind === 'replay')?.destinationId
}

/** Samples that a row carries to each destination. */
export function samplesOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + (item.kind === 'removal' ? (item.series?.length ?? 0) : item.samples), 0)
}

/** When the newest item was accepted, epoch milliseconds. */
export function acceptedAtMs(items: readonly Item[]): number {
  return Math.max(...items.map(item => (item.kind === 'batch' ? item.receivedAtMs : item.atMs)))
}
