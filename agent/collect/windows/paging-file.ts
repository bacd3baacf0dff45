import { openPdhQuery, type PdhQuery } from '../../windows/pdh.ts'
import { type Collector, known } from '../collector.ts'
import { parseMemoryStatus, readMemoryStatus } from './memory.ts'

export interface PagingFileSources {
  /** MEMORYSTATUSEX. */
  readonly status: () => Buffer
  /** Share of all page files in use, percent. */
  readonly usage: () => Promise<number>
}

/** The use of page files; a family of its own, as performance counters may fail or hang, and memory must not with them. */
export function pagingFileCollector(
  { status, usage }: PagingFileSources = { status: readMemoryStatus, usage: readPagingFileUsage },
): Collector {
  return {
    family: 'paging-file',
    async collect() {
      const { swapBytes } = parseMemoryStatus(status())
      const percent = swapBytes === 0 ? 0 : await usage()
      const used = Math.round((swapBytes * percent) / 100)
      return {
        metrics: known({
          onec_memory_swap_used: used,
          onec_memory_swap_free: swapBytes - used,
          onec_memory_swap_percent: Math.round(percent * 1_000) / 1_000,
        }),
      }
    },
  }
}

const USAGE = '\\Paging File(_Total)\\% Usage'

let open: Promise<PdhQuery> | undefined

/** Share of all page files in use, percent. */
export async function readPagingFileUsage(): Promise<number> {
  open ??= openPdhQuery([USAGE])
  try {
    const query = await open
    await query.collect()
    return query.formatted(USAGE)
  } catch (error) {
    await open.then(
      query => query.close(),
      () => undefined,
    )
    open = undefined
    throw error
  }
}
