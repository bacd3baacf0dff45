import { expect, test } from 'vitest'
import { seriesAfter, seriesOf } from '../../../relay/tenant/host-series.ts'
import { NOW, snapshot } from './fixtures.ts'

const volume = (name: string) => ({ name: 'onec_volume_free_bytes', labels: { volume: name }, value: 1 })
const SNAPSHOT = snapshot(NOW, { metrics: { a: 1, b: 2 }, series: [volume('D:'), volume('E:\\Копии')] })

test('the series of a snapshot are its metrics and its labelled series, values left out', () => {
  expect(seriesOf(SNAPSHOT)).toEqual([
    { name: 'a', labels: {} },
    { name: 'b', labels: {} },
    { name: 'onec_volume_free_bytes', labels: { volume: 'D:' } },
    { name: 'onec_volume_free_bytes', labels: { volume: 'E:\\Копии' } },
  ])
})

test('other values change nothing, and hosts that are alike share one list', () => {
  const first = seriesAfter(undefined, SNAPSHOT, [])
  expect(seriesAfter(first, { ...SNAPSHOT, metrics: { a: 7, b: 8 } }, [])).toBe(first)
  expect(seriesAfter(undefined, structuredClone(SNAPSHOT), [seriesOf(snapshot(NOW)), first])).toBe(first)
})

test.each([
  ['a metric less', { ...SNAPSHOT, metrics: { a: 1 } }],
  ['a metric more', { ...SNAPSHOT, metrics: { a: 1, b: 2, c: 3 } }],
  ['a volume less', { ...SNAPSHOT, series: [volume('D:')] }],
  ['another volume', { ...SNAPSHOT, series: [volume('D:'), volume('F:')] }],
])('%s is another list', (_, changed) => {
  const first = seriesAfter(undefined, SNAPSHOT, [])
  expect(seriesAfter(first, changed, [first])).toEqual(seriesOf(changed))
})
