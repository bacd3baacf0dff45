import { describeError } from '../../error.ts'
import type { Collector } from '../collector.ts'
import { type DiskCounter, diskIoMetrics } from '../disk-io.ts'
import { createRunningTotals, type PartCounters } from '../running-totals.ts'
import { readDiskPerformance } from './disk-performance.ts'
import { createPhysicalDiskReader } from './physical-disk.ts'

/** Counters since boot by disk. Fails with the reason. */
export type DiskReader = () => Promise<ReadonlyMap<string, PartCounters<DiskCounter>>>

/**
 * A source that failed is asked again after 1, 2, 4 … snapshots and this many at most: finding out costs more than
 * reading, and counters that are not there yet while Windows starts are there a minute later.
 */
const MAX_REST = 60

const REMEDY =
  'run "lodctr /R" and "diskperf -y", or set HKLM\\SYSTEM\\CurrentControlSet\\Services\\PartMgr\\EnableCounterForIoctl to 1 and restart'

/** The sources in order of preference; the totals only grow while the agent runs. */
export function diskIoCollector(
  readers: readonly DiskReader[] = [createPhysicalDiskReader(), readDiskPerformance],
): Collector {
  const totals = createRunningTotals<DiskCounter>()
  const sources = readers.map(reader => restAfterFailure(reader))
  return {
    family: 'disk-io',
    async collect() {
      const total = totals.add(await firstOf(sources))
      return { metrics: diskIoMetrics(counter => total[counter]) }
    },
  }
}

/** Parts are named by their source too: another source that steps in starts from where its own counters are. */
async function firstOf(sources: readonly DiskReader[]): Promise<Map<string, PartCounters<DiskCounter>>> {
  const reasons: string[] = []
  for (const [index, read] of sources.entries()) {
    try {
      const disks = await read()
      if (disks.size > 0) return new Map([...disks].map(([disk, counters]) => [`${index}/${disk}`, counters]))
      reasons.push('no disks')
    } catch (error) {
      reasons.push(describeError(error))
    }
  }
  throw new Error(`disk counters are off: ${REMEDY} (${reasons.join('; ')})`)
}

function restAfterFailure(read: DiskReader): DiskReader {
  let failure: unknown
  let left = 0
  let rest = 1
  return async () => {
    if (left > 0) {
      left--
      throw failure
    }
    try {
      const disks = await read()
      rest = 1
      return disks
    } catch (error) {
      failure = error
      left = rest
      rest = Math.min(rest * 2, MAX_REST)
      throw error
    }
  }
}
