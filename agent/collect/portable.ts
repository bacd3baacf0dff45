import { cpus, freemem, totalmem, uptime } from 'node:os'
import { type Collector, known, percentOf } from './collector.ts'
import type { CpuTimes } from './cpu.ts'

/** What Node itself knows on every platform; used where there is no `/proc`. */
export async function nodeCpuTimes(): Promise<CpuTimes> {
  const all = cpus().map(cpu => cpu.times)
  const sum = (pick: (times: (typeof all)[number]) => number) => all.reduce((total, times) => total + pick(times), 0)
  const user = sum(times => times.user + times.nice)
  const system = sum(times => times.sys + times.irq)
  const idle = sum(times => times.idle)
  return { user, system, idle, notBusy: idle, total: user + system + idle, logical: all.length }
}

export const nodeMemoryCollector: Collector = {
  family: 'memory',
  async collect() {
    const total = totalmem()
    // Windows has one number for both, and calls standby pages available.
    const available = freemem()
    return {
      metrics: known({
        onec_memory_total: total,
        onec_memory_available: available,
        onec_memory_free: available,
        onec_memory_used: total - available,
        onec_memory_percent: percentOf(total - available, total),
      }),
    }
  },
}

export const nodeSystemCollector: Collector = {
  family: 'system',
  async collect() {
    return { metrics: known({ onec_uptime_seconds: uptime() }) }
  },
}
