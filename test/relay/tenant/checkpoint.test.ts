import { decode, encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import type { BackupMemory } from '../../../relay/tenant/backups.ts'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../../relay/tenant/checkpoint.ts'
import { newCounters } from '../../../relay/tenant/counters.ts'
import { newDestination } from '../../../relay/tenant/destination-memory.ts'
import { idOf, NOW, seenHost } from './fixtures.ts'
import { V1_CHECKPOINT } from './release-1.ts'

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
  incident: { sinceMs: NOW, hosts: ['h1', 'h2', 'h3'], backSinceMs: null },
  ring: { head: 12, capacity: 4, live: [{ seq: 10, slot: 1, length: 2 }] },
  hosts: new Map([
    [
      'h1',
      seenHost({
        ids: ['-_AZaz09-_AZaz09', idOf(2)],
        backups: new Map([['Зарплата 3.1', BACKUP]]),
        clock: { offsetMs: -7_200_000, skewsMs: [-7_200_300, -7_200_000], appliedMs: -7_200_000, newestAtMs: NOW },
        seq: 1834,
        revertedAtMs: NOW,
        origins: [[idOf(7), '29923478']],
        clones: [{ spoolId: idOf(8), bootId: null }],
      }),
    ],
  ]),
  destinations: new Map([['d1', { ...newDestination(10), newestMs: new Map([['h1', NOW]]), reason: 'нет ответа' }]]),
  series: new Map([
    ['h1', SERIES],
    ['h2', SERIES],
  ]),
  counters: {
    acceptedBatches: 7,
    refusedBatches: { memory: 1, total: 2 },
    rowsWritten: 40,
    droppedEvents: 11,
    droppedBackups: 12,
  },
}

/** As a release without a checksum would have written it. */
const reencode = (change: (raw: Record<string, never>) => object) => {
  const { checksum, ...raw } = decode(encodeCheckpoint(CHECKPOINT)) as Record<string, never>
  return encode(change(raw))
}

function readOrNothing(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return decodeCheckpoint(bytes)
  } catch {
    return undefined
  }
}

test('a checkpoint reads back as it was', () => {
  const read = decodeCheckpoint(encodeCheckpoint(CHECKPOINT))
  expect(read).toEqual(CHECKPOINT)
  expect(read.series.get('h1'), 'hosts that are alike share one list').toBe(read.series.get('h2'))
})

test('what the next release adds is no obstacle', () => {
  const bytes = reencode(raw => {
    const [[hostId, host]] = raw.hosts as unknown as [[string, object]]
    const counters = { ...(raw.counters as unknown as object), readRows: 3 }
    return { ...raw, v: 2, clock: { offsets: [] }, counters, hosts: [[hostId, { ...host, spoolIds: ['x'] }]] }
  })
  const read = decodeCheckpoint(bytes)
  expect(read.hosts.get('h1')).toMatchObject({ lastSeenMs: NOW, ids: ['-_AZaz09-_AZaz09', idOf(2)] })
  expect(read.destinations).toEqual(CHECKPOINT.destinations)
  expect(read.counters).toMatchObject(CHECKPOINT.counters)
})

test('what the release before did not write gets its default', () => {
  const bytes = reencode(({ counters, ...raw }) => {
    const [[hostId, { clockSkewMs, clock, origins, clones, seq, backups, ...host }]] = raw.hosts as unknown as [
      [string, Record<string, unknown>],
    ]
    const [[id, { uncertainBelow, newestMs, ...memory }]] = raw.destinations as unknown as [
      [string, Record<string, unknown>],
    ]
    const { incident, series, ...older } = raw as { incident?: unknown; series?: unknown }
    return { ...older, hosts: [[hostId, host]], destinations: [[id, memory]] }
  })
  const read = decodeCheckpoint(bytes)
  expect(read.incident).toBeNull()
  expect(read.hosts.get('h1')).toMatchObject({
    clockSkewMs: null,
    clock: { offsetMs: 0, skewsMs: [], appliedMs: 0, newestAtMs: null },
    origins: [],
    clones: [],
    seq: null,
    backups: new Map(),
  })
  expect(read.destinations.get('d1')).toMatchObject({ cursor: 10, newestMs: new Map() })
  expect(read.series).toEqual(new Map())
})

test('one bit that flipped anywhere is noticed, or changes nothing', () => {
  const bytes = encodeCheckpoint(CHECKPOINT)
  let unnoticed = 0
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const read = readOrNothing(flipped)
    if (read === undefined) continue
    unnoticed += 1
    expect(read).toEqual(CHECKPOINT)
  }
  // In the name of the checksum's own field: it then is one of a release without one, and whole.
  expect(unnoticed).toBeLessThanOrEqual('checksum'.length * 8)
})

test('what the release before wrote has no checksum and is read', () => {
  const read = decodeCheckpoint(V1_CHECKPOINT)
  expect(read.hosts.get('h1')).toMatchObject({ ids: [idOf(1), idOf(2)], lastSeenMs: NOW })
  expect(read.destinations.get('d1')).toMatchObject({ cursor: 3, deliveredBatches: 7 })
  expect(read.counters).toEqual(newCounters())
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
  const clock = { offsetMs: 0, skewsMs: [-1_234, -1_200], appliedMs: 0, newestAtMs: NOW }
  // After eight reboots.
  const origins = Array.from({ length: 8 }, () => [idOf(7), 'f0e1d2c3'] as const)
  const newestMs = new Map(hostIds.map(id => [id, NOW]))
  const bytes = encodeCheckpoint({
    heartbeatMs: NOW,
    incident: { sinceMs: NOW, hosts: hostIds, backSinceMs: NOW },
    ring: CHECKPOINT.ring,
    hosts: new Map(
      hostIds.map(id => [
        id,
        seenHost({ ids, agent, dueAtMs: NOW + 60_000, clockSkewMs: -1_234, clock, seq: 1e6, origins }),
      ]),
    ),
    destinations: new Map(['d1', 'd2', 'd3', 'd4'].map(id => [id, { ...newDestination(1e6), newestMs }])),
    series: new Map(hostIds.map(id => [id, SERIES])),
    counters: CHECKPOINT.counters,
  })
  expect(bytes.length).toBeLessThan(1024 * 1024)
})
