import { gzipSync } from 'node:zlib'
import { encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import { decodeLetter, encodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { agentBatch, NOW, snapshot } from './fixtures.ts'

const BATCH = agentBatch('h1', [NOW], {
  host: { id: 'h1', name: 'БУХ-1С', labels: { site: 'Москва' } },
  snapshots: [
    snapshot(NOW, {
      metrics: { onec_cpu_percent: 45.25, onec_processes_total_count: 120 },
      series: [{ name: 'onec_volume_free_bytes', labels: { volume: 'D:' }, value: 1e11 }],
    }),
  ],
  entries: [{ atMs: NOW, level: 'error', message: 'Диск полон', fields: { backup: 'Зарплата 3.1' } }],
})

test('a letter reads back as it was, but for whose it is and that it was a replay', () => {
  const { tenant, ...kept } = BATCH
  const removal = { ...kept, source: 'relay', removed: true, job: 'onec_relay' } as const
  expect(
    decodeLetter(
      encodeLetter([
        { ...BATCH, replayed: true },
        { ...removal, tenant },
      ]),
    ),
  ).toEqual([kept, removal])
  expect(encodeLetter([BATCH])).toEqual(encodeLetter([BATCH]))
})

test('a letter of the release before this format, and one of the next, are read', () => {
  const { tenant, ...kept } = BATCH
  expect(decodeLetter(encode([BATCH]))).toEqual([kept])
  const next = encode({ v: 2, batches: [{ ...kept, priority: 3 }], more: true })
  expect(decodeLetter(gzipSync(next))).toMatchObject([kept])
})

test.each([
  ['nothing', new Uint8Array()],
  ['a number', encode(7)],
  ['the next but one version', gzipSync(encode({ v: 3, batches: [] }))],
  ['no version', gzipSync(encode({ batches: [] }))],
  ['no batches', gzipSync(encode({ v: 1 }))],
  ['null', gzipSync(encode(null))],
  ['a torn letter', encodeLetter([BATCH]).subarray(0, 60)],
  ['a bomb', gzipSync(encode({ v: 1, batches: [new Uint8Array(17 * 1024 * 1024)] }))],
])('%s is no letter', (_, bytes) => {
  expect(() => decodeLetter(bytes)).toThrow()
})
