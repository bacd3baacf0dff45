import { foreign, lastError, WindowsError } from '../../windows/library.ts'
import type { CpuTimes } from '../cpu.ts'

/** What GetSystemTimes fills: idle, kernel and user, FILETIMEs in units of 100 ns, of all processors together. */
export interface SystemTimes {
  readonly idle: Buffer
  /** Idle is in it. */
  readonly kernel: Buffer
  readonly user: Buffer
}

export function parseSystemTimes({ idle, kernel, user }: SystemTimes, logical: number): CpuTimes {
  const [idleTime, kernelTime, userTime] = [idle, kernel, user].map(time => Number(time.readBigUInt64LE())) as Triple
  return {
    user: userTime,
    system: kernelTime - idleTime,
    idle: idleTime,
    notBusy: idleTime,
    total: kernelTime + userTime,
    logical,
  }
}

type Triple = [number, number, number]

const getSystemTimes = foreign<[idle: Buffer, kernel: Buffer, user: Buffer]>(
  'kernel32.dll',
  'int GetSystemTimes(void *idle, void *kernel, void *user)',
)
const getActiveProcessorCount = foreign<[group: number]>(
  'kernel32.dll',
  'uint32_t GetActiveProcessorCount(uint16_t group)',
)
const ALL_GROUPS = 0xffff

/** Logical processors of all groups: `os.cpus()` has those of one group alone, 64 at most. */
export const countProcessors = (): number => getActiveProcessorCount(ALL_GROUPS)

export const readCpuTimes = async (): Promise<CpuTimes> => parseSystemTimes(readSystemTimes(), countProcessors())

export function readSystemTimes(): SystemTimes {
  const times = { idle: Buffer.alloc(8), kernel: Buffer.alloc(8), user: Buffer.alloc(8) }
  if (!getSystemTimes(times.idle, times.kernel, times.user)) throw new WindowsError('GetSystemTimes', lastError())
  return times
}
