import type { Collector } from '../collect/collector.ts'
import type { Spool } from '../spool/spool.ts'
import type { LogFollower } from './follower.ts'

/** What became of log lines, for Prometheus. A host that follows no files has none of these. */
export function logCollector(
  follower: Pick<LogFollower, 'views' | 'totals'>,
  spool: Pick<Spool, 'droppedEntries'>,
): Collector {
  return {
    family: 'logs',
    async collect() {
      const { views, totals } = follower
      if (views.length === 0) return {}
      return {
        metrics: {
          onec_log_entries_total: totals.entriesSpooled,
          onec_log_entries_left_out_total: totals.entriesLeftOut,
          onec_log_entries_dropped_total: spool.droppedEntries,
          onec_log_bytes_passed_over_total: totals.bytesPassedOver,
          onec_log_files_with_problems: views.filter(view => view.problem !== null).length,
        },
      }
    },
  }
}
