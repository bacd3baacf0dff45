import { gzipSync } from 'node:zlib'
import { LIMITS, type WireBatch } from '../../shared/wire.ts'
import { countSnapshots, type FixedBatch, type SpoolItem, wireParts } from './item.ts'

/**
 * A batch is cut to about this, compressed: with its TLS handshake an exchange then stays under 16 KB, which is where
 * some routes cut a connection.
 */
const AIM_BYTES = 4 * 1024

/** Room for what is beside the items: agent, spool, ids. */
const ENVELOPE_BYTES = 4 * 1024

/** How many of these items, the oldest first, make one batch. The first one always does. */
export function cutBatch(items: readonly SpoolItem[]): number {
  let count = withinLimits(items)
  while (count > 1) {
    const sizeBytes = gzipSync(JSON.stringify(items.slice(0, count).map(wireParts))).length
    if (sizeBytes <= AIM_BYTES) return count
    count = Math.max(Math.min(Math.floor((count * AIM_BYTES) / sizeBytes), count - 1), 1)
  }
  return 1
}

function withinLimits(items: readonly SpoolItem[]): number {
  const sums = { snapshots: 0, backups: 0, entries: 0, bytes: ENVELOPE_BYTES }
  for (const [index, item] of items.entries()) {
    sums.snapshots += countSnapshots([item])
    sums.backups += item.backups?.length ?? 0
    sums.entries += item.entries?.length ?? 0
    sums.bytes += Buffer.byteLength(JSON.stringify(wireParts(item)))
    if (
      sums.snapshots > LIMITS.snapshots ||
      sums.backups > LIMITS.backups ||
      sums.entries > LIMITS.entries ||
      sums.bytes > LIMITS.inflatedBytes
    )
      return Math.max(index, 1)
  }
  return items.length
}

/** A batch as it goes over the wire; only `sentAtMs` and what `spool` and `agent` say differ between attempts. */
export function wireBatch(batch: FixedBatch, envelope: Pick<WireBatch, 'agent' | 'spool' | 'sentAtMs'>): WireBatch {
  const backups = batch.items.flatMap(item => item.backups ?? [])
  const entries = batch.items.flatMap(item => item.entries ?? [])
  return {
    v: 1,
    id: batch.id,
    seq: batch.seq,
    ...envelope,
    snapshots: batch.items.flatMap(item => item.snapshot ?? []),
    ...(backups.length > 0 && { backups }),
    ...(entries.length > 0 && { entries }),
  }
}

export const compress = (batch: WireBatch): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(JSON.stringify(batch)))
