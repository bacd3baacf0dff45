import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'

/** Processes, their threads left out: the directories of `/proc` that are numbers. */
export function processesCollector(files: HostFiles): Collector {
  return {
    family: 'processes',
    async collect() {
      const count = (await files.list('/proc')).filter(name => /^\d+$/.test(name)).length
      return { metrics: known({ onec_processes_total_count: count || undefined }) }
    },
  }
}
