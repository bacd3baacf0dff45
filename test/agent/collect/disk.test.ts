import { describe, expect, it } from 'vitest'
import { diskCollector } from '../../../agent/collect/disk.ts'
import { backupVolume } from '../../../agent/collect/index.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const files = fixtureFiles({ spaces: { '/mnt/Копии': { totalBytes: 1_000, usedBytes: 300, freeBytes: 600 } } })

describe('disk', () => {
  it('takes the share of what programs can use, as df does', async () => {
    expect((await diskCollector(files, () => '/mnt/Копии').collect()).metrics).toEqual({
      onec_disk_percent: 33.333,
      onec_disk_backup_disk_total: 1_000,
      onec_disk_backup_disk_used: 300,
      onec_disk_backup_disk_free: 600,
    })
  })

  it('says nothing of a directory that is not there', async () => {
    await expect(diskCollector(files, () => '/mnt/нет').collect()).rejects.toThrow('ENOENT')
  })

  it('is the volume of the first backup directory, else the system’s', () => {
    const backups = [{ name: 'a' }, { name: 'b', directory: '/mnt/Копии' }, { name: 'c', directory: '/c' }]
    expect(backupVolume({ backups })).toBe('/mnt/Копии')
    expect(backupVolume({})).toBe('/')
  })
})
