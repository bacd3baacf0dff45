import { openPdhQuery, type PdhQuery, parseRawArray, type RawCounterArray } from '../../windows/pdh.ts'
import type { DiskCounter } from '../disk-io.ts'
import type { PartCounters } from '../running-totals.ts'
import type { DiskReader } from './disk-io.ts'

/**
 * The raw values of these only grow. Per second, operations are PERF_COUNTER_COUNTER, of 32 bits, and bytes
 * PERF_COUNTER_BULK_COUNT, of 64; the times are PERF_PRECISION_100NS_TIMER, which counts the time of all requests
 * together in units of 100 ns. `Avg. Disk sec/Read` would count in ticks of a clock whose rate is not in the value.
 */
export const PATHS: Readonly<Record<DiskCounter, string>> = {
  reads: '\\PhysicalDisk(*)\\Disk Reads/sec',
  writes: '\\PhysicalDisk(*)\\Disk Writes/sec',
  readBytes: '\\PhysicalDisk(*)\\Disk Read Bytes/sec',
  writtenBytes: '\\PhysicalDisk(*)\\Disk Write Bytes/sec',
  readMs: '\\PhysicalDisk(*)\\% Disk Read Time',
  writeMs: '\\PhysicalDisk(*)\\% Disk Write Time',
}

export type RawDiskCounters = Readonly<Record<DiskCounter, RawCounterArray>>

const UNITS_PER_MS = 10_000

/** By number of the disk. `_Total` is left out: its times are no sum; "0 C: D:" changes its name with its letters. */
export function parsePhysicalDisks(raw: RawDiskCounters): Map<string, PartCounters<DiskCounter>> {
  const disks = new Map<string, Partial<Record<DiskCounter, number>>>()
  for (const counter of Object.keys(PATHS) as DiskCounter[]) {
    for (const [instance, value] of parseRawArray(raw[counter])) {
      const disk = /^\d+/.exec(instance)?.[0]
      if (disk === undefined || value < 0) continue
      const isTime = counter === 'readMs' || counter === 'writeMs'
      disks.set(disk, { ...disks.get(disk), [counter]: isTime ? value / UNITS_PER_MS : value })
    }
  }
  return disks
}

export function createPhysicalDiskReader(): DiskReader {
  let query: PdhQuery | undefined
  return async () => {
    query ??= await openPdhQuery(Object.values(PATHS))
    try {
      return parsePhysicalDisks(await readPhysicalDisks(query))
    } catch (error) {
      query.close()
      query = undefined
      throw error
    }
  }
}

async function readPhysicalDisks(query: PdhQuery): Promise<RawDiskCounters> {
  await query.collect()
  const counters = Object.entries(PATHS).map(async ([name, path]) => [name, await query.rawArray(path)] as const)
  return Object.fromEntries(await Promise.all(counters)) as unknown as RawDiskCounters
}
