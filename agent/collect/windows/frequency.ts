import { fillBuffer, foreign, lastError, WindowsError } from '../../windows/library.ts'
import { type Collector, known } from '../collector.ts'
import { countProcessors } from './cpu.ts'

export interface ProcessorSources {
  /** PROCESSOR_POWER_INFORMATION of each logical processor. */
  readonly power: () => Buffer
  /** SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX of each core. */
  readonly cores: () => Promise<Buffer>
}

/** Frequencies and the number of cores; one of the two may be unreadable alone. */
export function frequencyCollector(sources: ProcessorSources = { power: readPower, cores: readCores }): Collector {
  return {
    family: 'frequency',
    async collect() {
      const [power, cores] = await Promise.allSettled([(async () => parsePower(sources.power()))(), sources.cores()])
      if (power.status === 'rejected' && cores.status === 'rejected') throw power.reason
      return {
        metrics: known({
          ...(power.status === 'fulfilled' && frequencies(power.value)),
          ...(cores.status === 'fulfilled' && { onec_cpu_count_physical: countCores(cores.value) || undefined }),
        }),
      }
    },
  }
}

function frequencies(mhz: readonly Frequency[]) {
  if (mhz.length === 0) return {}
  const mean = mhz.reduce((sum, { current }) => sum + current, 0) / mhz.length
  return {
    onec_cpu_freq_current: Math.round(mean * 10) / 10,
    onec_cpu_freq_max: Math.max(...mhz.map(({ max }) => max)),
  }
}

export interface Frequency {
  readonly current: number
  readonly max: number
}

const POWER_BYTES = 24

/** MHz of the processors that the call filled; with several processor groups it may leave out those of others. */
export function parsePower(buffer: Buffer): Frequency[] {
  const count = Math.floor(buffer.length / POWER_BYTES)
  const all = Array.from({ length: count }, (_, index) => ({
    max: buffer.readUInt32LE(index * POWER_BYTES + 4),
    current: buffer.readUInt32LE(index * POWER_BYTES + 8),
  }))
  return all.filter(({ current, max }) => current > 0 && max > 0)
}

const RELATION_CORE = 0

/** Records of various lengths, one a core, of all processor groups. */
export function countCores(buffer: Buffer): number {
  let cores = 0
  for (let at = 0; at + 8 <= buffer.length; ) {
    if (buffer.readUInt32LE(at) === RELATION_CORE) cores++
    const bytes = buffer.readUInt32LE(at + 4)
    if (bytes < 8) break
    at += bytes
  }
  return cores
}

const callNtPowerInformation = foreign<
  [level: number, input: null, inputBytes: number, output: Buffer, outputBytes: number]
>(
  'powrprof.dll',
  'int32_t CallNtPowerInformation(int level, void *input, uint32_t inputBytes, void *output, uint32_t outputBytes)',
)
const PROCESSOR_INFORMATION = 11

export function readPower(): Buffer {
  const buffer = Buffer.alloc(countProcessors() * POWER_BYTES)
  const status = callNtPowerInformation(PROCESSOR_INFORMATION, null, 0, buffer, buffer.length)
  if (status !== 0) throw new WindowsError('CallNtPowerInformation', status >>> 0)
  return buffer
}

const getLogicalProcessorInformationEx = foreign<[relation: number, buffer: Buffer, bytes: Buffer]>(
  'kernel32.dll',
  'int GetLogicalProcessorInformationEx(int relation, void *buffer, void *bytes)',
)
const ERROR_INSUFFICIENT_BUFFER = 122

export async function readCores(): Promise<Buffer> {
  const fill = (buffer: Buffer, bytes: Buffer) =>
    getLogicalProcessorInformationEx(RELATION_CORE, buffer, bytes) ? 0 : lastError()
  const filling = { call: 'GetLogicalProcessorInformationEx', tooSmall: ERROR_INSUFFICIENT_BUFFER }
  return (await fillBuffer(fill, filling)) ?? Buffer.alloc(0)
}
