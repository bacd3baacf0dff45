import { describe, expect, it } from 'vitest'
import { diskIoCollector } from '../../../agent/collect/disk-io.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const DISKSTATS = `   7       0 loop0 9 9 9 9 9 9 9 9 0 9 9
   8       0 sda 100 5 2000 30 40 6 800 70 0 50 100 1 2 3 4
   8       1 sda1 90 5 1900 29 40 6 800 70 0 50 100
 104       0 cciss/c0d0 1 0 2 3 4 0 5 6 0 7 8
 253       0 dm-0 100 0 2000 30 40 0 800 70 0 50 100
 252       0 zram0 9 9 9 9 9 9 9 9 0 9 9
   8       2 short 1 2 3 4
`

describe('disk-io', () => {
  it('adds up whole physical disks only', async () => {
    const files = { '/proc/diskstats': DISKSTATS, '/sys/block/sda/device/x': '', '/sys/block/cciss!c0d0/device/x': '' }
    expect((await diskIoCollector(fixtureFiles({ files })).collect()).metrics).toEqual({
      onec_disk_io_read_count: 101,
      onec_disk_io_write_count: 44,
      onec_disk_io_read_bytes: 2_002 * 512,
      onec_disk_io_write_bytes: 805 * 512,
      onec_disk_io_read_time: 33,
      onec_disk_io_write_time: 76,
    })
  })

  it('goes on over a wrap of the times, which have 32 bits', async () => {
    const line = (ms: number) => `8 0 sda 100 5 2000 ${ms} 40 6 800 70 0 50 100`
    const files = { '/proc/diskstats': line(2 ** 32 - 10), '/sys/block/sda/device/x': '' }
    const collector = diskIoCollector(fixtureFiles({ files }))
    await collector.collect()
    files['/proc/diskstats'] = line(5)
    expect((await collector.collect()).metrics?.onec_disk_io_read_time).toBe(2 ** 32 + 5)
  })

  it('says nothing where there is no disk (a container)', async () => {
    expect(await diskIoCollector(fixtureFiles({ files: { '/proc/diskstats': DISKSTATS } })).collect()).toEqual({})
  })
})
