import { decode, encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import {
  acceptedAtMs,
  decodeRow,
  destinationOf,
  encodeRow,
  type Item,
  samplesOf,
  sizeBytes,
} from '../../../relay/tenant/row.ts'
import { batchItem, NOW, relayItem, replayItem, report } from './fixtures.ts'

const ITEMS: readonly Item[] = [
  batchItem({ backups: [report({ reason: 'Диск D: переполнен' })] }),
  relayItem(NOW + 5, 'h1', { onec_host_up: 1 }),
  { kind: 'removal', atMs: NOW + 9, hostId: 'h2' },
]

test('a row reads back as it was', () => {
  expect(decodeRow(encodeRow(ITEMS))).toEqual(ITEMS)
})

test('a replay reads back too; a release that knows none finds a row with nothing in it', () => {
  const items = [replayItem('h1', [NOW])]
  expect(decodeRow(encodeRow(items))).toEqual(items)
  expect(decode(encodeRow(items))).toMatchObject({ v: 1, items: [] })
  expect([destinationOf(items), destinationOf(ITEMS)]).toEqual(['d1', undefined])
  expect([samplesOf(items), acceptedAtMs(items)]).toEqual([1, NOW])
})

test('fields of a newer release are no obstacle, its second next version is', () => {
  const newer = [{ ...ITEMS[0], priority: 3 }]
  expect(decodeRow(encode({ v: 2, items: newer, extra: true }))).toMatchObject([{ kind: 'batch', hostId: 'h1' }])
  expect(() => decodeRow(encode({ v: 3, items: [] }))).toThrow('version 3')
})

test.each([
  ['nothing', new Uint8Array()],
  ['a number', encode(7)],
  ['null', encode(null)],
  ['no items', encode({ v: 1 })],
  ['no version', encode({ items: [] })],
  ['a torn row', encodeRow(ITEMS).subarray(0, 40)],
])('garbage throws: %s', (_, bytes) => {
  expect(() => decodeRow(bytes)).toThrow()
})

test('what is known of a row without opening it', () => {
  expect(samplesOf(ITEMS)).toBe(2)
  expect(acceptedAtMs(ITEMS)).toBe(NOW + 9)
})

test('the correction of a wrong clock is kept with its batch; a release before knows none', () => {
  const [read] = decodeRow(encodeRow([batchItem({ offsetMs: -7_200_000 })]))
  expect(read).toMatchObject({ offsetMs: -7_200_000 })
  expect(decodeRow(encodeRow([batchItem()]))[0]).not.toHaveProperty('offsetMs')
})

test('the size of a batch is counted with its backups, and never under what it takes', () => {
  const long = report({ name: 'Ж'.repeat(128), reason: 'ж'.repeat(500) })
  for (const backups of [[], [report()], Array.from({ length: 50 }, () => long)]) {
    const item = batchItem({ backups })
    expect(sizeBytes(item)).toBeGreaterThan(encodeRow([item]).length)
  }
})
