import { type Collector, known, percentOf } from './collector.ts'
import type { HostFiles, Space } from './host-files.ts'

/**
 * The volume that holds the backups. `directory` names it, at each snapshot: the first configured backup directory,
 * else the system's volume. A directory that is not there has no volume: its metrics are absent, not another volume's.
 */
export function diskCollector(files: HostFiles, directory: () => string): Collector {
  return {
    family: 'disk',
    async collect() {
      const space = await files.space(directory())
      return {
        metrics: known({
          onec_disk_percent: usedPercent(space),
          onec_disk_backup_disk_total: space.totalBytes,
          onec_disk_backup_disk_used: space.usedBytes,
          onec_disk_backup_disk_free: space.freeBytes,
        }),
      }
    },
  }
}

/** As `df` and psutil have it: of what programs can use. Space reserved for root would hide a full disk. */
export function usedPercent({ usedBytes, freeBytes }: Space): number | undefined {
  return percentOf(usedBytes, usedBytes + freeBytes)
}
