import { DatabaseSync } from 'node:sqlite'
import { encode } from '@msgpack/msgpack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { budgetOf } from '../../../relay/tenant/budget.ts'
import { decodeCheckpoint } from '../../../relay/tenant/checkpoint.ts'
import { newDestination } from '../../../relay/tenant/destination-memory.ts'
import { type StandIn, startStandIn } from '../../support/stand-ins/stand-in.ts'
import {
  batchItem,
  deadLetter,
  destinationRecord,
  hostRecord,
  idOf,
  NOW,
  replayItem,
  report,
  snapshot,
  TENANT,
  wireBatch,
} from './fixtures.ts'
import { nodeStorage } from './node-storage.ts'
import { V1_CHECKPOINT, v1Release } from './release-1.ts'
import { openTenant } from './tenant-setup.ts'

/** Release N reads what N−1 wrote, and N−1 goes on with what N wrote: an update that is taken back loses nothing. */

const LETTER = { atMs: NOW, destination: 'Облако', host: 'БУХ-1С', fromMs: NOW - 5, toMs: NOW, samples: 45 }
const EVENT = { atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: 'Host БУХ-1С is up' }
const item = (number: number) =>
  batchItem(
    { receivedAtMs: NOW + number, backups: [report()] },
    wireBatch({ id: idOf(number), snapshots: [snapshot(NOW + number)] }),
  )

describe('what the release before wrote', () => {
  let prometheus: StandIn
  beforeEach(async () => {
    prometheus = await startStandIn('remote-write')
  })
  afterEach(() => prometheus.stop())

  function setUp(settings: Record<string, unknown> = {}) {
    const database = new DatabaseSync(':memory:')
    const before = v1Release(database)
    before.init(TENANT)
    before.putHost(hostRecord({ config: { labels: { site: 'Склад' } } }))
    before.putDestination(destinationRecord({ sink: 'remote-write', settings }))
    before.addDeadLetter({ ...LETTER, reason: 'HTTP 400', body: encode([]) })
    before.addEvent(EVENT)
    // Rows 3 and 4 are in the checkpoint, in slots 1 and 0; row 5 came after it.
    for (const [slot, seq] of [
      [1, 3],
      [0, 4],
      [2, 5],
    ] as const)
      before.putRow(slot, seq, item(seq))
    before.setCheckpoint(V1_CHECKPOINT)
    return { database, open: () => openTenant(nodeStorage(database)) }
  }

  test('is all there', () => {
    const { state, deliveries } = setUp().open()
    expect(state.tenant).toEqual(TENANT)
    expect(state.host('h1')).toEqual({ id: 'h1', name: 'БУХ-1С', labels: { site: 'Склад' } })
    expect(state.memories.get('h1')).toMatchObject({ state: 'up', ids: [idOf(1), idOf(2), idOf(5)] })
    expect(state.outbox.from(0).map(({ seq }) => seq)).toEqual([3, 4, 5])
    expect(state.letters.list({}, 9)).toMatchObject([{ ...LETTER, destinationId: null, reason: 'HTTP 400' }])
    expect(state.store.events(9)).toEqual([EVENT])
    expect(deliveries.records).toEqual([destinationRecord({ sink: 'remote-write' })])
    expect(deliveries.records.map(record => deliveries.view(record))).toMatchObject([
      { name: 'Облако', backlogBatches: 3, deliveredBatches: 7, deadLetters: 1, budget: budgetOf({}, 1) },
    ])
    expect(state.heartbeatMs).toBe(NOW)
  })

  test('is delivered, oldest first, and checkpointed', async () => {
    const { open } = setUp({ url: prometheus.url, allowHttp: true })
    const { state, deliveries, pumpEnded } = open()
    const ended = pumpEnded()
    deliveries.startPumps()
    await ended
    const [series] = [...prometheus.series().values()].filter(({ name }) => name === 'onec_cpu_percent')
    expect(series?.labels).toMatchObject({ instance: 'БУХ-1С', site: 'Склад' })
    expect(series?.samples.map(({ atMs }) => atMs - NOW)).toEqual([3, 4, 5])
    expect(prometheus.defects()).toEqual([])
    state.checkpoint()
    expect(open().state.outbox.from(0)).toEqual([])
    expect(open().state.destinations.get('d1')).toMatchObject({ cursor: 6, deliveredBatches: 10 })
  })
})

describe('after going back one release', () => {
  async function setUp() {
    const node = nodeStorage()
    const { state } = openTenant(node)
    state.init(TENANT)
    state.hosts.set('h1', hostRecord())
    state.destinations.set('d1', newDestination(0))
    state.checkpoint(() => {
      state.store.putHost(hostRecord())
      state.store.putDestination(destinationRecord({ budget: { ageMs: 3_600_000, bytes: 1e6 } }))
    })
    state.bury(deadLetter({ ...LETTER, reason: 'HTTP 400' }))
    state.note(EVENT)
    await state.append([item(0)], NOW)
    state.checkpoint()
    await state.append([item(1)], NOW)
    const replay = () => state.append([replayItem('h1', [NOW])], NOW)
    return { node, before: v1Release(node.database), again: () => openTenant(nodeStorage(node.database)), replay }
  }

  test('everything is read', async () => {
    const { before } = await setUp()
    expect(before.hosts()).toEqual([hostRecord()])
    const { budget, ...destination } = destinationRecord()
    expect(before.destinations()).toEqual([destination])
    expect(before.deadLetters()).toMatchObject([{ ...LETTER, reason: 'HTTP 400' }])
    expect(before.events()).toEqual([EVENT])
    const read = before.readCheckpoint()
    expect(read.hosts.get('h1')).toMatchObject({ ids: [idOf(0)], lastSeenMs: NOW })
    expect(read.destinations.get('d1')).toMatchObject({ cursor: 0 })
    expect(read.ring).toEqual({ head: 1, capacity: 1, live: [{ seq: 0, slot: 0, length: 1 }] })
    expect([before.row(0), before.row(1)]).toEqual([[item(0)], [item(1)]])
  })

  test('everything is written, and the update may come again', async () => {
    const { before, again } = await setUp()
    before.putHost(hostRecord({ name: 'БУХ-1С новая' }))
    before.putDestination(destinationRecord({ name: 'Облако 2', version: 2 }))
    before.putDestination(destinationRecord({ id: 'd2', name: 'Логи' }))
    before.addDeadLetter({ ...LETTER, reason: 'HTTP 422', body: encode([]) })
    before.addEvent({ ...EVENT, kind: 'host_late' })
    before.putRow(2, 2, item(2))
    const { state, deliveries } = again()
    expect(state.hosts.get('h1')?.name).toBe('БУХ-1С новая')
    expect(state.memories.get('h1')?.ids).toEqual([idOf(0), idOf(1), idOf(2)])
    expect(state.letters.list({}, 9).map(({ reason }) => reason)).toEqual(['HTTP 422', 'HTTP 400'])
    expect(state.store.events(1)).toMatchObject([{ kind: 'host_late' }])
    // What the release before does not know of, its edit left alone.
    expect(deliveries.records.map(({ name, budget }) => [name, budget])).toEqual([
      ['Облако 2', { ageMs: 3_600_000, bytes: 1e6 }],
      ['Логи', {}],
    ])
  })

  test('a replay that waits is passed over, and is there again when the update comes again', async () => {
    const { before, again, replay } = await setUp()
    await replay()
    expect(before.row(2)).toEqual([])
    const { state } = again()
    expect(state.outbox.backlog(2, 'd1')).toMatchObject([{ seq: 2, destinationId: 'd1' }])
  })

  test('a destination that it removed leaves no budget behind for long', async () => {
    const { node, before, again } = await setUp()
    before.putDestination(destinationRecord({ id: 'd2', name: 'Логи' }))
    before.deleteDestination('d1')
    const { state } = again()
    expect([...state.destinations.keys()]).toEqual(['d2'])
    state.store.deleteDestination('d2')
    expect(node.database.prepare('SELECT * FROM destination_budgets').all()).toEqual([])
  })

  test('its checkpoint, which has no checksum, is taken up again', async () => {
    const { before, again } = await setUp()
    const read = before.readCheckpoint()
    before.setCheckpoint(before.encodeCheckpoint(read))
    expect(again().state.memories.get('h1')?.ids).toEqual([idOf(0), idOf(1)])
    const { heartbeatMs, ring } = read
    const known = { heartbeatMs, ring, incident: null, series: new Map() }
    expect(decodeCheckpoint(before.encodeCheckpoint(read))).toMatchObject(known)
  })
})

test('a column that a later release adds outlives an edit by this one', () => {
  const node = nodeStorage()
  const { state } = openTenant(node)
  state.init(TENANT)
  state.store.putHost(hostRecord())
  state.store.putDestination(destinationRecord())
  node.database.exec(`
    ALTER TABLE hosts ADD COLUMN clock_offset INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE destinations ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbox ADD COLUMN more TEXT;
    ALTER TABLE dead_letters ADD COLUMN more TEXT;
    UPDATE hosts SET clock_offset = 7;
    UPDATE destinations SET paused = 1;
    UPDATE meta SET value = '4' WHERE key = 'schema'`)
  const later = openTenant(nodeStorage(node.database)).state
  later.store.putHost(hostRecord({ name: 'БУХ-2' }))
  later.store.putDestination(destinationRecord({ name: 'Облако 2' }))
  later.outbox.append([item(1)])
  later.letters.add(deadLetter())
  const [host, destination] = ['hosts', 'destinations'].map(table =>
    node.database.prepare(`SELECT * FROM ${table}`).get(),
  )
  expect(host).toMatchObject({ name: 'БУХ-2', clock_offset: 7 })
  expect(destination).toMatchObject({ name: 'Облако 2', paused: 1 })
  expect(later.store.hosts()).toEqual([hostRecord({ name: 'БУХ-2' })])
  expect(later.store.meta('schema')).toBe('4')
})
