import { foreign, lastError, WindowsError } from '../../windows/library.ts'
import { type Collector, known } from '../collector.ts'

/** PERFORMANCE_INFORMATION of psapi.h. */
const BYTES = 104

export function processesCollector(read: () => Buffer = readPerformanceInformation): Collector {
  return {
    family: 'processes',
    async collect() {
      return { metrics: known({ onec_processes_total_count: read().readUInt32LE(92) || undefined }) }
    },
  }
}

const getPerformanceInfo = foreign<[information: Buffer, bytes: number]>(
  'kernel32.dll',
  'int K32GetPerformanceInfo(void *information, uint32_t bytes)',
)

export function readPerformanceInformation(): Buffer {
  const information = Buffer.alloc(BYTES)
  information.writeUInt32LE(BYTES)
  if (!getPerformanceInfo(information, BYTES)) throw new WindowsError('GetPerformanceInfo', lastError())
  return information
}
