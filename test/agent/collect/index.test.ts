import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../agent/clock.ts'
import { hostFiles } from '../../../agent/collect/host-files.ts'
import { platformCollectors } from '../../../agent/collect/index.ts'
import { createSampler } from '../../../agent/collect/sampler.ts'
import { SEED_HOST_METRICS } from '../../../shared/metrics.ts'

const sampler = (platform: NodeJS.Platform) =>
  createSampler(platformCollectors(platform, { files: hostFiles, config: () => ({}) }), 5_000, systemClock)

describe('platformCollectors', () => {
  it.runIf(process.platform === 'linux')('reads at least 38 of the 41 seed metrics of this host', async () => {
    const linux = sampler('linux')
    await linux.sample()
    await systemClock.sleep(50)
    const { metrics, series } = await linux.sample()
    const known = SEED_HOST_METRICS.filter(name => name in metrics || name === 'onec_timestamp_unix')
    expect(known.length).toBeGreaterThanOrEqual(38)
    expect(metrics).not.toHaveProperty('onec_rdp_active_count')
    expect(Object.keys(metrics).every(name => (SEED_HOST_METRICS as string[]).includes(name))).toBe(true)
    expect(series.length).toBeGreaterThanOrEqual(3)
  })

  it('has the families of Linux on Windows too', () => {
    const families = (platform: NodeJS.Platform) =>
      platformCollectors(platform, { files: hostFiles, config: () => ({}) }).map(({ family }) => family)
    expect(families('win32').filter(family => family !== 'paging-file')).toEqual(families('linux'))
  })

  it('reads the little that Node knows elsewhere', async () => {
    const { metrics, problems } = await sampler('sunos').sample()
    expect(problems).toEqual([])
    expect(metrics).toMatchObject({ onec_memory_total: expect.any(Number), onec_uptime_seconds: expect.any(Number) })
  })
})
