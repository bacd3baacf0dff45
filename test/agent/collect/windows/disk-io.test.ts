import { describe, expect, it } from 'vitest'
import { type DiskReader, diskIoCollector } from '../../../../agent/collect/windows/disk-io.ts'
import { parseDiskPerformance } from '../../../../agent/collect/windows/disk-performance.ts'
import { parsePhysicalDisks } from '../../../../agent/collect/windows/physical-disk.ts'
import { diskPerformance, rawCounterArray } from './buffers.ts'

const DISK = { reads: 10, writes: 20, readBytes: 4_096, writtenBytes: 8_192, readMs: 5, writeMs: 7 }
const disks = (counters: Partial<typeof DISK>) => new Map([['0', counters]])

/** A reader that gives these one after the other. */
function reader(...answers: (Awaited<ReturnType<DiskReader>> | Error)[]): DiskReader & { calls: number } {
  const read = async () => {
    const answer = answers[read.calls++] ?? new Error('asked too often')
    if (answer instanceof Error) throw answer
    return answer
  }
  read.calls = 0
  return read
}

describe('parsePhysicalDisks', () => {
  const all = (values: Record<string, bigint | undefined>) => ({
    reads: rawCounterArray(values),
    writes: rawCounterArray(values),
    readBytes: rawCounterArray(values),
    writtenBytes: rawCounterArray(values),
    readMs: rawCounterArray(values),
    writeMs: rawCounterArray(values),
  })

  it('names a disk by its number, and leaves the total out', () => {
    const parsed = parsePhysicalDisks(all({ '0 C:': 70_000n, '11 D: Ж:': 50_000n, _Total: 120_000n }))
    expect([...parsed.keys()]).toEqual(['0', '11'])
    expect(parsed.get('0')).toEqual({
      reads: 70_000,
      writes: 70_000,
      readBytes: 70_000,
      writtenBytes: 70_000,
      readMs: 7,
      writeMs: 7,
    })
  })

  it('leaves out a counter without valid data', () => {
    const parsed = parsePhysicalDisks({ ...all({ '0 C:': 10_000n }), reads: rawCounterArray({ '0 C:': undefined }) })
    expect(parsed.get('0')).not.toHaveProperty('reads')
    expect(parsed.get('0')).toMatchObject({ readMs: 1 })
  })
})

describe('parseDiskPerformance', () => {
  it('reads DISK_PERFORMANCE, times as ms', () => {
    const buffer = diskPerformance({
      readBytes: 1n << 40n,
      writtenBytes: 8_192n,
      readTime: 50_000n,
      writeTime: 70_000n,
      reads: 0xffff_fffe,
      writes: 20,
    })
    expect(parseDiskPerformance(buffer)).toEqual({ ...DISK, readBytes: 2 ** 40, reads: 0xffff_fffe })
  })
})

describe('disk-io', () => {
  it('sums disks, and goes on over a wrap of the 32-bit operations', async () => {
    const collector = diskIoCollector([reader(disks({ ...DISK, reads: 2 ** 32 - 1 }), disks({ ...DISK, reads: 4 }))])
    expect((await collector.collect()).metrics?.onec_disk_io_read_count).toBe(2 ** 32 - 1)
    expect((await collector.collect()).metrics).toEqual({
      onec_disk_io_read_count: 2 ** 32 + 4,
      onec_disk_io_write_count: 20,
      onec_disk_io_read_bytes: 4_096,
      onec_disk_io_write_bytes: 8_192,
      onec_disk_io_read_time: 5,
      onec_disk_io_write_time: 7,
    })
  })

  it('takes the second source when the first fails, and does not ask the first at every snapshot', async () => {
    const first = reader(new Error('no such performance counter'))
    const collector = diskIoCollector([first, reader(disks(DISK), disks({ ...DISK, reads: 11 }))])
    await collector.collect()
    expect((await collector.collect()).metrics?.onec_disk_io_read_count).toBe(11)
    expect(first.calls).toBe(1)
  })

  it('asks a source that failed again soon, without a jump', async () => {
    const first = reader(new Error('busy'), disks({ ...DISK, reads: 900 }), disks({ ...DISK, reads: 905 }))
    const collector = diskIoCollector([first, reader(disks(DISK), disks({ ...DISK, reads: 11 }))])
    const reads = []
    for (let snapshot = 0; snapshot < 4; snapshot++)
      reads.push((await collector.collect()).metrics?.onec_disk_io_read_count)
    expect(reads).toEqual([10, 11, 11, 16])
  })

  it('asks one that goes on failing less and less, once in an hour at last', async () => {
    const asked: number[] = []
    let snapshot = 0
    const failing: DiskReader = () => {
      asked.push(snapshot)
      return Promise.reject(new Error('no such performance counter'))
    }
    const collector = diskIoCollector([failing, async () => disks(DISK)])
    for (; snapshot < 200; snapshot++) await collector.collect()
    expect(asked).toEqual([0, 2, 5, 10, 19, 36, 69, 130, 191])
  })

  it('says how to switch the counters on', async () => {
    const collector = diskIoCollector([reader(new Error('no such counter')), reader(new Error('not supported'))])
    await expect(collector.collect()).rejects.toThrow(
      /diskperf -y.*EnableCounterForIoctl.*no such counter; not supported/,
    )
  })

  it('is unread, not zero, where there are no disks', async () => {
    await expect(diskIoCollector([reader(new Map())]).collect()).rejects.toThrow('no disks')
  })
})
