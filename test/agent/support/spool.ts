import type { SpoolItem } from '../../../agent/spool/item.ts'
import { openSpool, type Spool, type SpoolOptions } from '../../../agent/spool/spool.ts'
import type { MemoryDisk } from './memory-files.ts'

export const START_MS = 1_795_400_000_000

/** Item `index`: one snapshot a minute, told apart by its time; all encode to the same size. */
export function itemAt(index: number): SpoolItem {
  const atMs = START_MS + index * 60_000
  const metrics = { onec_cpu_percent: 10 + index, onec_memory_percent: 67.1 }
  return { atMs, snapshot: { atMs, monoMs: 600_000_000 + index * 60_000, metrics } }
}

let made = 0

export function openMemorySpool(disk: MemoryDisk, options: Partial<SpoolOptions> = {}): Spool {
  return openSpool({
    files: disk.port,
    directory: '/spool',
    maxBytes: 1 << 20,
    maxAgeMs: 7 * 86_400_000,
    cut: items => Math.min(items.length, 3),
    newId: () => `id${String(made++).padStart(14, '0')}`,
    ...options,
  })
}

/** Ships everything: the items in the order in which batches carried them. */
export function drain(spool: Spool): SpoolItem[] {
  const items: SpoolItem[] = []
  for (let batch = spool.nextBatch(); batch; batch = spool.nextBatch()) {
    items.push(...batch.items)
    spool.settle(batch.id)
  }
  return items
}
