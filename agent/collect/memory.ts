import { type Collector, known, percentOf } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function memoryCollector(files: HostFiles): Collector {
  return {
    family: 'memory',
    async collect() {
      return { metrics: known(memoryMetrics(parseMeminfo(await files.readText('/proc/meminfo')))) }
    },
  }
}

/** `/proc/meminfo` as bytes by name. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const lines = text.matchAll(/^(\S+):\s+(\d+)( kB)?$/gm)
  return new Map(Array.from(lines, ([, name = '', value, unit]) => [name, Number(value) * (unit ? 1024 : 1)]))
}

function memoryMetrics(bytes: ReadonlyMap<string, number>) {
  const total = bytes.get('MemTotal')
  const available = bytes.get('MemAvailable')
  const used = minus(total, available)
  const swapTotal = bytes.get('SwapTotal')
  const swapFree = bytes.get('SwapFree')
  const swapUsed = minus(swapTotal, swapFree)
  return {
    onec_memory_total: total,
    onec_memory_available: available,
    onec_memory_used: used,
    onec_memory_free: bytes.get('MemFree'),
    onec_memory_percent: share(used, total),
    onec_memory_swap_total: swapTotal,
    onec_memory_swap_free: swapFree,
    onec_memory_swap_used: swapUsed,
    // Without swap none of it is in use: 0 is a true reading, and an alert on it stays quiet.
    onec_memory_swap_percent: swapTotal === 0 ? 0 : share(swapUsed, swapTotal),
  }
}

const minus = (whole: number | undefined, part: number | undefined) =>
  whole === undefined || part === undefined ? undefined : whole - part

const share = (part: number | undefined, whole: number | undefined) =>
  part === undefined || whole === undefined ? undefined : percentOf(part, whole)
