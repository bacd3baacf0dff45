import { describe, expect, it } from 'vitest'
import { compareHeld, expectedOf } from './expectation.ts'
import type { HeldSeries } from './stand-ins/store.ts'

const AT_MS = 1_795_408_705_854
const LABELS = { tenant: 'ООО Ромашка', instance: 'БУХ-1С' }
const snapshot = {
  atMs: AT_MS,
  metrics: { onec_cpu_percent: 45.2 },
  series: [{ name: 'onec_volume_free_bytes', labels: { volume: 'D:' }, value: 1e11 }],
}
const NONE = { missing: [], invented: [], altered: [], repeated: [] }

const held = (name: string, value: number, more: Partial<HeldSeries> = {}, times = 1): HeldSeries => ({
  name,
  labels: LABELS,
  samples: [{ atMs: AT_MS, value, times }],
  ...more,
})
const volume = { labels: { volume: 'D:', instance: 'БУХ-1С', tenant: 'ООО Ромашка' } }
const cpu = held('onec_cpu_percent', 45.2)
const free = held('onec_volume_free_bytes', 1e11, volume)

describe('compareHeld', () => {
  const compare = (...series: HeldSeries[]) => compareHeld(series, expectedOf([snapshot], LABELS))

  it('finds nothing when all is held once, whatever the order of labels', () => {
    expect(compare(free, cpu)).toEqual(NONE)
  })

  it('finds what is missing', () => {
    expect(compare(cpu).missing).toEqual([expect.stringContaining('onec_volume_free_bytes')])
  })

  it('finds what nobody sent', () => {
    expect(compare(cpu, free, held('onec_rdp_active_count', 0)).invented).toHaveLength(1)
    expect(compare(cpu, free, { ...cpu, labels: { instance: 'БУХ-1С' } }).invented).toHaveLength(1)
    expect(compare(free, { ...cpu, samples: [{ atMs: AT_MS + 1, value: 45.2, times: 1 }] })).toMatchObject({
      missing: [expect.anything()],
      invented: [expect.anything()],
    })
  })

  it('finds other values, a negative zero included', () => {
    expect(compare(free, held('onec_cpu_percent', 45.200001)).altered).toHaveLength(1)
    const zero = [{ name: 'm', labels: LABELS, atMs: AT_MS, value: 0 }]
    expect(compareHeld([held('m', -0)], zero).altered).toHaveLength(1)
  })

  it('finds what was taken twice', () => {
    expect(compare(free, held('onec_cpu_percent', 45.2, {}, 2)).repeated).toHaveLength(1)
  })

  it('leaves times aside where the store has none', () => {
    const later: HeldSeries = { ...cpu, samples: [...cpu.samples, { atMs: AT_MS + 60_000, value: 46, times: 1 }] }
    const newest = { atMs: AT_MS + 30_000, metrics: { onec_cpu_percent: 46 } }
    expect(compareHeld([later], expectedOf([newest], LABELS), { timeless: true })).toEqual(NONE)
  })
})

it('expectedOf renames metrics', () => {
  const renamed = expectedOf([snapshot], LABELS, metric => metric.replace(/^onec_/, ''))
  expect(renamed.map(({ name }) => name)).toEqual(['cpu_percent', 'volume_free_bytes'])
})
