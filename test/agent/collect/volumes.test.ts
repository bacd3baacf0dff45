import { describe, expect, it } from 'vitest'
import { volumesCollector } from '../../../agent/collect/volumes.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const space = { totalBytes: 10, usedBytes: 4, freeBytes: 5 }
const files = fixtureFiles({ spaces: { '/': space, '/mnt/Копии': space, '/mnt/a\tb': space } })
const collect = async (configured: string[] | undefined, fixed: string[]) =>
  (
    await volumesCollector(
      files,
      () => configured,
      async () => fixed,
    ).collect()
  ).series

describe('volumes', () => {
  it('gives three series a volume', async () => {
    expect(await collect(undefined, ['/mnt/Копии'])).toEqual([
      { name: 'onec_volume_total_bytes', labels: { volume: '/mnt/Копии' }, value: 10 },
      { name: 'onec_volume_used_bytes', labels: { volume: '/mnt/Копии' }, value: 4 },
      { name: 'onec_volume_free_bytes', labels: { volume: '/mnt/Копии' }, value: 5 },
    ])
  })

  it('takes the configured ones instead, and leaves out what it cannot read or name', async () => {
    const volumes = (await collect(['/mnt/Копии', '/gone'], ['/']))?.map(series => series.labels.volume)
    expect(new Set(volumes)).toEqual(new Set(['/mnt/Копии']))
    expect(await collect(undefined, ['/mnt/a\tb'])).toEqual([])
  })
})
