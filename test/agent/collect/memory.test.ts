import { describe, expect, it } from 'vitest'
import { memoryCollector } from '../../../agent/collect/memory.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

const collect = async (text: string) =>
  (await memoryCollector(fixtureFiles({ files: { '/proc/meminfo': text } })).collect()).metrics
const meminfo = (swapTotal: number, swapFree: number) =>
  `MemTotal:        8000 kB\nMemFree:         1000 kB\nMemAvailable:    6000 kB\nSwapTotal:       ${swapTotal} kB\nSwapFree:        ${swapFree} kB\nHugePages_Total:       0\n`

describe('memory', () => {
  it('calls used what is not available', async () => {
    expect(await collect(meminfo(4000, 3000))).toEqual({
      onec_memory_total: 8_192_000,
      onec_memory_available: 6_144_000,
      onec_memory_used: 2_048_000,
      onec_memory_free: 1_024_000,
      onec_memory_percent: 25,
      onec_memory_swap_total: 4_096_000,
      onec_memory_swap_used: 1_024_000,
      onec_memory_swap_free: 3_072_000,
      onec_memory_swap_percent: 25,
    })
  })

  it('has 0 % of no swap', async () => {
    expect(await collect(meminfo(0, 0))).toMatchObject({ onec_memory_swap_total: 0, onec_memory_swap_percent: 0 })
  })

  it('leaves out what an old kernel does not say', async () => {
    expect(await collect('MemTotal: 8000 kB\nMemFree: 1000 kB\n')).toEqual({
      onec_memory_total: 8_192_000,
      onec_memory_free: 1_024_000,
    })
  })
})
