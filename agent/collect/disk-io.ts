import { type Collector, known } from './collector.ts'
import type { HostFiles } from './host-files.ts'
import { createRunningTotals } from './running-totals.ts'

/** The kernel counts in units of 512 bytes whatever the disk's own sector is (Documentation/admin-guide/iostats). */
const SECTOR_BYTES = 512

/**
 * Whole physical disks: those that a device stands behind. Partitions, loop, RAM and device-mapper disks carry the same
 * requests once more, and are left out.
 */
export function diskIoCollector(files: HostFiles): Collector {
  const totals = createRunningTotals<DiskCounter>()
  return {
    family: 'disk-io',
    async collect() {
      const disks = parseDiskstats(await files.readText('/proc/diskstats'))
      const physical = await Promise.all(disks.map(disk => files.exists(`/sys/block/${blockName(disk.name)}/device`)))
      const counted = disks.filter((_, index) => physical[index])
      if (counted.length === 0) return {}
      const total = totals.add(new Map(counted.map(({ name, ...counters }) => [name, counters])))
      return { metrics: diskIoMetrics(counter => total[counter]) }
    },
  }
}

export type DiskCounter = 'reads' | 'writes' | 'readBytes' | 'writtenBytes' | 'readMs' | 'writeMs'

export function diskIoMetrics(total: (counter: DiskCounter) => number | undefined) {
  return known({
    onec_disk_io_read_count: total('reads'),
    onec_disk_io_write_count: total('writes'),
    onec_disk_io_read_bytes: total('readBytes'),
    onec_disk_io_write_bytes: total('writtenBytes'),
    onec_disk_io_read_time: total('readMs'),
    onec_disk_io_write_time: total('writeMs'),
  })
}

/** A slash in a device's name ("cciss/c0d0") is a "!" in sysfs. */
const blockName = (name: string): string => name.replaceAll('/', '!')

export interface DiskCounters extends Readonly<Record<DiskCounter, number>> {
  readonly name: string
}

/** `/proc/diskstats`: major, minor, name, then the counters. Short lines of old kernels' partitions are left out. */
export function parseDiskstats(text: string): DiskCounters[] {
  return text.split('\n').flatMap(line => {
    const fields = line.trim().split(/\s+/)
    const name = fields[2]
    const counters = fields.slice(3, 11).map(Number)
    if (!name || counters.length < 8 || !counters.every(Number.isFinite)) return []
    const [reads = 0, , readSectors = 0, readMs = 0, writes = 0, , writtenSectors = 0, writeMs = 0] = counters
    const [readBytes, writtenBytes] = [readSectors * SECTOR_BYTES, writtenSectors * SECTOR_BYTES]
    return [{ name, reads, writes, readBytes, writtenBytes, readMs, writeMs }]
  })
}
