import { type Collector, known, percentOf } from './collector.ts'
import type { HostFiles } from './host-files.ts'

/** CPU time since boot, in any one unit. */
export interface CpuTimes {
  readonly user: number
  readonly system: number
  readonly idle: number
  readonly total: number
  /** Of `total`: idle and waiting for a disk. */
  readonly notBusy: number
  readonly logical: number
}

/**
 * Shares since the snapshot before; the first call only primes. "user" has nice in it, "system" interrupts; waiting for
 * a disk is neither load nor idle, as in psutil, and "idle" is the mode that node_exporter calls so.
 */
export function cpuCollector(readTimes: () => Promise<CpuTimes>): Collector {
  let before: CpuTimes | undefined
  return {
    family: 'cpu',
    async collect() {
      const now = await readTimes()
      const shares = before ? cpuShares(before, now) : {}
      before = now
      return { metrics: known({ ...shares, onec_cpu_count_logical: now.logical || undefined }) }
    },
  }
}

export function cpuShares(before: CpuTimes, now: CpuTimes) {
  const total = now.total - before.total
  // The kernel may take back a tick of idle or iowait; a share below zero is that.
  const share = (from: number, to: number) => percentOf(Math.max(to - from, 0), total)
  return {
    onec_cpu_percent: share(before.total - before.notBusy, now.total - now.notBusy),
    onec_cpu_user_time: share(before.user, now.user),
    onec_cpu_system_time: share(before.system, now.system),
    onec_cpu_idle_time: share(before.idle, now.idle),
  }
}

export const procStatTimes = (files: HostFiles) => async (): Promise<CpuTimes> =>
  parseProcStat(await files.readText('/proc/stat'))

/** `/proc/stat` (proc(5)): guest time is inside user already, so it is not added again. */
export function parseProcStat(text: string): CpuTimes {
  const lines = text.split('\n')
  const fields = lines
    .find(line => line.startsWith('cpu '))
    ?.split(/\s+/)
    .slice(1, 9)
    .map(Number)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields ?? []
  if (!fields?.every(Number.isFinite)) throw new Error('/proc/stat has no line of all processors')
  return {
    user: user + nice,
    system: system + irq + softirq,
    idle,
    notBusy: idle + iowait,
    total: user + nice + system + idle + iowait + irq + softirq + steal,
    logical: lines.filter(line => /^cpu\d/.test(line)).length,
  }
}
