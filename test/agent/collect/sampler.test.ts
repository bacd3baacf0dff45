import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../agent/clock.ts'
import type { Collector } from '../../../agent/collect/collector.ts'
import { createSampler } from '../../../agent/collect/sampler.ts'

const good: Collector = { family: 'cpu', collect: async () => ({ metrics: { onec_cpu_percent: 5 } }) }
const broken: Collector = { family: 'users', collect: () => Promise.reject(new Error('ENOENT')) }

describe('sampler', () => {
  it('keeps what was read and names what was not', async () => {
    expect(await createSampler([good, broken], 1_000, systemClock).sample()).toEqual({
      metrics: { onec_cpu_percent: 5 },
      series: [],
      problems: [{ family: 'users', reason: 'ENOENT' }],
    })
  })

  it('gives up on a hanging one, and does not start it again until it has ended', async () => {
    let calls = 0
    let finish = () => {}
    const hanging: Collector = {
      family: 'disk',
      collect: () => {
        calls++
        return new Promise(resolve => {
          finish = () => resolve({ metrics: { onec_disk_percent: 1 } })
        })
      },
    }
    // Every sleep is over at once: whatever has not answered by then is late.
    const clock = { ...systemClock, sleep: async () => {} }
    const sampler = createSampler([hanging, good], 5, clock)
    expect((await sampler.sample()).problems[0]?.reason).toBe('no reading within 5 ms')
    expect((await sampler.sample()).problems[0]?.reason).toBe('an earlier reading has not ended')
    expect(calls).toBe(1)
    finish()
    await new Promise(setImmediate)
    await sampler.sample()
    expect(calls).toBe(2)
  })
})
