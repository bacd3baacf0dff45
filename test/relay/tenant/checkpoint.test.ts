import { decode, encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import type { BackupMemory } from '../../../relay/tenant/backups.ts'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../relay/tenant/checkpoint.ts'
import { newDestination } from '../../../relay/tenant/destination-memory.ts'
import { idOf, NOW, seenHost } from './fixtures.ts'

const BACKUP: BackupMemory = {
  state: 'failed',
  source: 'run',
  reason: 'Диск переполнен',
  status: 0,
  completedAtMs: NOW,
  goodAtMs: NOW - 86_400_000,
  goodSizeBytes: 1e11,
  durationMs: null,
  dueAtMs: NOW + 1,
  runs: { ok: 3, failed: 1 },
}

const SERIES = [
  { name: 'onec_cpu_percent', labels: {} },
  { name: 'onec_volume_free_bytes', labels: { volume: 'D:\\Копии' } },
]

const CHECKPOINT: Checkpoint = {
  heartbeatMs: NOW,
  ring: { head: 12, capacity: 4, live: [{ seq: 10, slot: 1, length: 2 }] },
  hosts: new Map([
    ['h1', seenHost({ ids: ['-_AZaz09-_AZaz09', idOf(2)], backups: new Map([['Зарплата 3.1', BACKUP]]) })],
  ]),
  destinations: new Map([['d1', { ...newDestination(10), newestMs: new Map([['h1', NOW]]), reason: 'нет ответа' }]]),
  series: new Map([
    ['h1', SERIES],
    ['h2', SERIES],
  ]),
}

const reencode = (change: (raw: Record<string, never>) => object) =>
  encode(change(decode(encodeCheckpoint(CHECKPOINT)) as Record<string, never>))

test('a checkpoint reads back as it was', () => {
  const read = decodeCheckpoint(encodeCheckpoint(CHECKPOINT))
  expect(read).toEqual(CHECKPOINT)
  expect(read.series.get('h1'), 'hosts that are alike share one list').toBe(read.series.get('h2'))
})

test('what the next release adds is no obstacle', () => {
  const bytes = reencode(raw => {
    const [[hostId, host]] = raw.hosts as unknown as [[string, object]]
    return { ...raw, v: 2, clock: { offsets: [] }, hosts: [[hostId, { ...host, spoolIds: ['x'] }]] }
  })
  const read = decodeCheckpoint(bytes)
  expect(read.hosts.get('h1')).toMatchObject({ lastSeenMs: NOW, ids: ['-_AZaz09-_AZaz09', idOf(2)] })
  expect(read.destinations).toEqual(CHECKPOINT.destinations)
})

test('what the release before did not write gets its default', () => {
  const bytes = reencode(raw => {
    const [[hostId, { clockSkewMs, backups, ...host }]] = raw.hosts as unknown as [[string, Record<string, unknown>]]
    const [[id, { uncertainBelow, newestMs, ...memory }]] = raw.destinations as unknown as [
      [string, Record<string, unknown>],
    ]
    const { series, ...older } = raw as { series?: unknown }
    return { ...older, hosts: [[hostId, host]], destinations: [[id, memory]] }
  })
  const read = decodeCheckpoint(bytes)
  expect(read.hosts.get('h1')).toMatchObject({ clockSkewMs: null, backups: new Map() })
  expect(read.destinations.get('d1')).toMatchObject({ cursor: 10, newestMs: new Map() })
  expect(read.series).toEqual(new Map())
})

test.each([
  ['nothing', new Uint8Array()],
  ['text', new TextEncoder().encode('state')],
  ['a number', encode(1)],
  ['null', encode(null)],
  ['a torn one', encodeCheckpoint(CHECKPOINT).subarray(0, 100)],
  ['one with more behind it', Uint8Array.from([...encodeCheckpoint(CHECKPOINT), 0])],
  ['no hosts', reencode(({ hosts, ...raw }) => raw)],
  ['no destinations', reencode(({ destinations, ...raw }) => raw)],
  ['a version from the future', reencode(raw => ({ ...raw, v: 3 }))],
])('garbage throws, it never reads as empty: %s', (_, bytes) => {
  expect(() => decodeCheckpoint(bytes)).toThrow()
})

test('1,000 hosts with 16 ids each, and 4 destinations, fit 1 MB', () => {
  const ids = Array.from({ length: 16 }, (_, index) => idOf(index))
  const agent = {
    version: '1.0.0',
    os: 'Microsoft Windows Server 2022 Standard 10.0.20348',
    hostname: 'SRV-1C-BUH-01',
    intervalMs: 60_000,
    bootId: '2026-11-01T03:00:00.000Z',
  }
  const hostIds = Array.from({ length: 1_000 }, (_, index) => `h${String(index).padStart(12, '0')}`)
  const newestMs = new Map(hostIds.map(id => [id, NOW]))
  const bytes = encodeCheckpoint({
    heartbeatMs: NOW,
    ring: CHECKPOINT.ring,
    hosts: new Map(hostIds.map(id => [id, seenHost({ ids, agent, dueAtMs: NOW + 60_000, clockSkewMs: -1_234 })])),
    destinations: new Map(['d1', 'd2', 'd3', 'd4'].map(id => [id, { ...newDestination(1e6), newestMs }])),
    series: new Map(hostIds.map(id => [id, SERIES])),
  })
  expect(bytes.length).toBeLessThan(1024 * 1024)
})
