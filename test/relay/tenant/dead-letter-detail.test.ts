import { expect, test } from 'vitest'
import { letterContent } from '../../../relay/tenant/dead-letter-detail.ts'
import { agentBatch, NOW, snapshot } from './fixtures.ts'

const entry = (message: string) => ({ atMs: NOW, level: 'info', message }) as const

test('a letter is shown by batch: times, metrics, series, log entries, and nothing that is not a person’s', () => {
  const series = [{ name: 'onec_volume_free_bytes', labels: { volume: 'D:' }, value: 1e11 }]
  const batch = agentBatch('h1', [], { snapshots: [snapshot(NOW, { series })], entries: [entry('Копия готова')] })
  expect(
    letterContent([
      batch,
      { ...batch, snapshots: [], entries: [], source: 'relay', removed: true, ended: { atMs: NOW, series } },
    ]),
  ).toEqual({
    batches: [
      {
        host: 'БУХ-h1',
        hostId: 'h1',
        source: 'agent',
        removed: false,
        ended: 0,
        snapshots: [{ atMs: NOW, metrics: { onec_cpu_percent: 45.2 }, series }],
        entries: [entry('Копия готова')],
      },
      { host: 'БУХ-h1', hostId: 'h1', source: 'relay', removed: true, ended: 1, snapshots: [], entries: [] },
    ],
    cut: { snapshots: 0, samples: 0, entries: 0 },
  })
})

test('what is too much is cut at the end and counted, with nothing left out in between', () => {
  const long = entry('я'.repeat(500))
  const batches = [
    agentBatch('h1', [NOW, NOW + 1], { entries: [entry('коротко'), long, entry('коротко')] }),
    agentBatch('h1', [NOW + 2, NOW + 3]),
  ]
  const { batches: shown, cut } = letterContent(batches, 400)
  expect(shown).toHaveLength(1)
  expect(shown[0]).toMatchObject({ snapshots: [{ atMs: NOW }, { atMs: NOW + 1 }], entries: [entry('коротко')] })
  expect(cut).toEqual({ snapshots: 2, samples: 2, entries: 2 })
})

test('the largest letter is an answer of at most about 256 KB', () => {
  const metrics = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`onec_metric_number_${index}`, index / 7]),
  )
  const snapshots = Array.from({ length: 120 }, (_, index) => snapshot(NOW + index, { metrics }))
  const content = letterContent([agentBatch('h1', [], { snapshots })])
  expect(JSON.stringify(content).length).toBeLessThan(257 * 1024)
  expect((content.batches[0]?.snapshots.length ?? 0) + content.cut.snapshots).toBe(120)
  expect(content.cut.samples).toBe(content.cut.snapshots * 300)
  expect(content.cut.snapshots).toBeGreaterThan(0)
})
