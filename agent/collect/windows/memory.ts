import { foreign, lastError, WindowsError } from '../../windows/library.ts'
import { type Collector, known, percentOf } from '../collector.ts'
import { readPagingFileUsage } from './paging-file.ts'

export interface MemorySources {
  /** MEMORYSTATUSEX. */
  readonly status: () => Buffer
  /** Share of the page files in use, percent. */
  readonly pagingFileUsage: () => Promise<number>
}

const SOURCES: MemorySources = { status: readMemoryStatus, pagingFileUsage: readPagingFileUsage }

/** Memory and page files; where the use of the page files cannot be read, their size is still known. */
export function memoryCollector({ status, pagingFileUsage }: MemorySources = SOURCES): Collector {
  return {
    family: 'memory',
    async collect() {
      const memory = parseMemoryStatus(status())
      const usage = memory.swapBytes === 0 ? 0 : await pagingFileUsage().catch(() => undefined)
      return { metrics: known(memoryMetrics(memory, usage)) }
    },
  }
}

export interface MemoryStatus {
  readonly totalBytes: number
  readonly availableBytes: number
  /** What page files add to memory; 0 without one. */
  readonly swapBytes: number
}

/** Page files are sized in megabytes. */
const SMALLEST_PAGE_FILE_BYTES = 1024 * 1024

export function parseMemoryStatus(status: Buffer): MemoryStatus {
  const bytesAt = (at: number) => Number(status.readBigUInt64LE(at))
  const totalBytes = bytesAt(8)
  // "PageFile" in this structure is the commit limit: memory and page files together, a few pages more or less.
  const beyondMemory = bytesAt(24) - totalBytes
  const swapBytes = beyondMemory < SMALLEST_PAGE_FILE_BYTES ? 0 : beyondMemory
  return { totalBytes, availableBytes: bytesAt(16), swapBytes }
}

function memoryMetrics({ totalBytes, availableBytes, swapBytes }: MemoryStatus, usage: number | undefined) {
  const used = totalBytes - availableBytes
  const swapUsed = usage === undefined ? undefined : Math.round((swapBytes * usage) / 100)
  return {
    onec_memory_total: totalBytes,
    onec_memory_available: availableBytes,
    // Windows has one number for both: standby pages are free to whoever asks.
    onec_memory_free: availableBytes,
    onec_memory_used: used,
    onec_memory_percent: percentOf(used, totalBytes),
    onec_memory_swap_total: swapBytes,
    onec_memory_swap_used: swapUsed,
    onec_memory_swap_free: swapUsed === undefined ? undefined : swapBytes - swapUsed,
    onec_memory_swap_percent: usage === undefined ? undefined : Math.round(usage * 1_000) / 1_000,
  }
}

const globalMemoryStatusEx = foreign<[status: Buffer]>('kernel32.dll', 'int GlobalMemoryStatusEx(void *status)')
const STATUS_BYTES = 64

export function readMemoryStatus(): Buffer {
  const status = Buffer.alloc(STATUS_BYTES)
  status.writeUInt32LE(STATUS_BYTES)
  if (!globalMemoryStatusEx(status)) throw new WindowsError('GlobalMemoryStatusEx', lastError())
  return status
}
