import { foreign, lastError, WindowsError } from '../../windows/library.ts'
import { type Collector, known, percentOf } from '../collector.ts'

/** What needs no counter: memory, and how large the page files are. `read` gives MEMORYSTATUSEX. */
export function memoryCollector(read: () => Buffer = readMemoryStatus): Collector {
  return {
    family: 'memory',
    async collect() {
      const { totalBytes, availableBytes, swapBytes } = parseMemoryStatus(read())
      const used = totalBytes - availableBytes
      return {
        metrics: known({
          onec_memory_total: totalBytes,
          onec_memory_available: availableBytes,
          // Windows has one number for both: standby pages are free to whoever asks.
          onec_memory_free: availableBytes,
          onec_memory_used: used,
          onec_memory_percent: percentOf(used, totalBytes),
          onec_memory_swap_total: swapBytes,
        }),
      }
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

const globalMemoryStatusEx = foreign<[status: Buffer]>('kernel32.dll', 'int GlobalMemoryStatusEx(void *status)')
const STATUS_BYTES = 64

export function readMemoryStatus(): Buffer {
  const status = Buffer.alloc(STATUS_BYTES)
  status.writeUInt32LE(STATUS_BYTES)
  if (!globalMemoryStatusEx(status)) throw new WindowsError('GlobalMemoryStatusEx', lastError())
  return status
}
