import { expect, test } from 'vitest'
import { applyReport } from '../../../relay/tenant/backups.ts'
import type { Counters } from '../../../relay/tenant/counters.ts'
import { type HostMemory, newHost } from '../../../relay/tenant/host-memory.ts'
import { encodeRow } from '../../../relay/tenant/row.ts'
import { type DeliveryFacts, testBatch, tickItems } from '../../../relay/tenant/tick.ts'
import { METRICS, metricOf } from '../../../shared/metrics.ts'
import { NOW, report, seenHost, TENANT } from './fixtures.ts'

const FACTS: DeliveryFacts = {
  destination: 'Облако',
  lagMs: 2_500,
  backlogBatches: 3,
  dropped: { budget: 1, age: 3, order: 0 },
  unconfirmedBatches: 5,
  partialRequests: 2,
  deadLetters: 6,
  deadLettersDropped: 7,
  leftOut: new Map([['h1', { age: 7, order: 8 }]]),
}

const COUNTERS: Counters = {
  acceptedBatches: 7,
  refusedBatches: { memory: 8, total: 9 },
  rowsWritten: 10,
  droppedEvents: 11,
  droppedBackups: 12,
}

const tick = (host: HostMemory, changes: Parameters<typeof tickItems>[3] = []) =>
  tickItems(NOW, new Map([['h1', host]]), [], changes, COUNTERS)
    .flatMap(({ says }) => says)
    .filter(({ hostId }) => hostId !== null)

test('nothing known, nothing said', () => {
  expect(tick(newHost(NOW))).toEqual([])
  expect(tick(seenHost({ state: 'disabled' }))).toEqual([])
})

test.each([
  ['up', 1],
  ['late', 1],
  ['down', 0],
] as const)('a host that is %s has onec_host_up %i', (state, up) => {
  const [said] = tick(seenHost({ state, clockSkewMs: -1_500 }))
  expect(said?.snapshot.metrics).toEqual({
    onec_host_up: up,
    onec_host_last_seen_timestamp_seconds: NOW / 1_000,
    onec_host_clock_skew_seconds: -1.5,
    onec_host_clock_offset_seconds: 0,
    onec_host_spool_pending_batches: 0,
    onec_host_dropped_snapshots_total: 0,
  })
})

test('what is not known of a host has no series', () => {
  const [said] = tick(seenHost({ state: 'down', spool: null, clockSkewMs: null, lastSeenMs: null }))
  expect(said?.snapshot.metrics).toEqual({ onec_host_up: 0 })
})

test('backups are said also while the host is down', () => {
  const backups = new Map([['Зарплата 3.1', applyReport(undefined, report())]])
  const [said] = tick(seenHost({ state: 'down', backups }))
  expect(said?.snapshot.series.map(({ name }) => name)).toContain('onec_backup_status')
})

test('a change is an entry of that host alone', () => {
  const change = { hostId: 'h1', name: 'БУХ-1С', from: 'late', to: 'down', lastSeenMs: NOW } as const
  const [said] = tick(seenHost({ state: 'down' }), [change, { ...change, hostId: 'h2' }])
  expect(said?.entries).toEqual([
    {
      atMs: NOW,
      level: 'error',
      message: `Host БУХ-1С is down (was late, last seen ${new Date(NOW).toISOString()})`,
      fields: { from: 'late', to: 'down' },
    },
  ])
})

test('the relay says of itself how each destination does, and what it counted', () => {
  const [item] = tickItems(NOW, new Map(), [FACTS], [], COUNTERS)
  const [said] = item?.says ?? []
  expect(said?.hostId).toBeNull()
  expect(said?.snapshot.metrics).toEqual({
    onec_ingest_batches_total: 7,
    onec_storage_rows_written_total: 10,
    onec_events_dropped_total: 11,
    onec_backups_dropped_total: 12,
  })
  const refused = said?.snapshot.series.filter(({ name }) => name === 'onec_ingest_refused_batches_total')
  expect(refused?.map(({ labels, value }) => [labels, value])).toEqual([
    [{ reason: 'memory' }, 8],
    [{ reason: 'total' }, 9],
  ])
  const ofDestination = said?.snapshot.series.filter(({ labels }) => labels.destination === 'Облако') ?? []
  const key = (name: string, reason: string | undefined) => (reason === undefined ? name : `${name} ${reason}`)
  const values = ofDestination.map(({ name, labels, value }) => [key(name, labels.reason), value])
  expect(Object.fromEntries(values)).toEqual({
    onec_delivery_lag_seconds: 2.5,
    onec_delivery_backlog_batches: 3,
    'onec_delivery_dropped_samples_total budget': 1,
    'onec_delivery_dropped_samples_total age': 3,
    'onec_delivery_dropped_samples_total order': 0,
    onec_delivery_unconfirmed_total: 5,
    onec_delivery_partial_total: 2,
    onec_dead_letters_total: 6,
    onec_dead_letters_dropped_total: 7,
  })
  expect(item?.samples).toBe(15)
})

test('the relay says of a host what a destination did not get, once there is something', () => {
  const series = (hostId: string) =>
    tickItems(NOW, new Map([[hostId, seenHost()]]), [FACTS], [], COUNTERS)[0]?.says[0]?.snapshot.series
  expect(series('h1')).toEqual([
    { name: 'onec_host_left_out_samples_total', labels: { destination: 'Облако', reason: 'age' }, value: 7 },
    { name: 'onec_host_left_out_samples_total', labels: { destination: 'Облако', reason: 'order' }, value: 8 },
  ])
  expect(series('h2')).toEqual([])
})

test('every metric that a tick says is in the catalogue, as the relay’s, with those labels', () => {
  const backups = new Map([['ut11', applyReport(undefined, report({ dueAtMs: NOW }))]])
  for (const { says } of tickItems(NOW, new Map([['h1', seenHost({ backups })]]), [FACTS], [], COUNTERS))
    for (const { snapshot } of says) {
      for (const name of Object.keys(snapshot.metrics)) expect(metricOf(name)?.origin, name).toBe('relay')
      for (const { name, labels } of snapshot.series) {
        expect(metricOf(name)?.origin, name).toBe('relay')
        expect(Object.keys(labels), name).toEqual(METRICS[name as 'onec_backup_runs_total'].labels)
      }
    }
})

test('1,000 hosts with 50 backups each are said in rows of at most 1 MB', () => {
  const names = Array.from({ length: 50 }, (_, index) => `Бухгалтерия предприятия, база ${index}`)
  const backups = new Map(names.map(name => [name, applyReport(undefined, report({ name, dueAtMs: NOW }))]))
  const hosts = new Map(Array.from({ length: 1_000 }, (_, index) => [`h${index}`, seenHost({ backups })]))
  const items = tickItems(NOW, hosts, [FACTS], [], COUNTERS)
  expect(items.flatMap(({ says }) => says.map(({ hostId }) => hostId))).toEqual([...hosts.keys(), null])
  for (const item of items) expect(encodeRow([item]).length).toBeLessThan(1024 * 1024)
})

test('a test of a destination is a host of its own', () => {
  const batch = testBatch(TENANT, FACTS, NOW)
  expect(batch).toMatchObject({ host: { id: 'relay-test' }, job: 'onec_relay', source: 'relay' })
  expect(batch.snapshots[0]?.series).toHaveLength(9)
})
