import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

export function systemCollector(files: HostFiles): Collector {
  return {
    family: 'system',
    async collect() {
      return { metrics: known({ onec_uptime_seconds: Number.parseFloat(await files.readText('/proc/uptime')) }) }
    },
  }
}
