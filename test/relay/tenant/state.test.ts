import type { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { newDestination } from '../../../relay/tenant/destination-memory.ts'
import { MAX_BACKUPS } from '../../../relay/tenant/host-memory.ts'
import { StateUnreadable } from '../../../relay/tenant/outbox.ts'
import { TenantState } from '../../../relay/tenant/state.ts'
import {
  batchItem,
  deadLetter,
  destinationRecord,
  hostRecord,
  idOf,
  NOW,
  relayItem,
  report,
  TENANT,
} from './fixtures.ts'
import { nodeStorage } from './node-storage.ts'

/** The state of a tenant with one host and one destination; `again` is what a restart finds. */
function setUp(database?: DatabaseSync) {
  const node = nodeStorage(database)
  const open = () =>
    new TenantState(nodeStorage(node.database).storage, NOW, error => {
      throw error
    })
  const state = new TenantState(node.storage, NOW, error => {
    throw new Error('aborted', { cause: error })
  })
  state.init(TENANT)
  state.hosts.set('h1', hostRecord())
  state.store.putHost(hostRecord())
  state.destinations.set('d1', newDestination(0))
  state.checkpoint(() => state.store.putDestination(destinationRecord()))
  return { state, node, again: open }
}

/** The checkpoint with a bit of its 100th byte turned; SQLite has no blob arithmetic. */
const FLIPPED = `unhex(substr(hex(body), 1, 198) || CASE substr(hex(body), 199, 2) WHEN '00' THEN '01' ELSE '00' END || substr(hex(body), 201))`

const contentOf = (database: DatabaseSync) =>
  ['meta', 'hosts', 'destinations', 'destination_budgets', 'outbox', 'checkpoint', 'dead_letters', 'events'].map(
    table => database.prepare(`SELECT * FROM ${table}`).all(),
  )

const item = (number: number) => batchItem({ id: idOf(number), receivedAtMs: NOW + number, backups: [report()] })

test('an object that was told nothing yet is empty, and remembers what it was told', () => {
  const node = nodeStorage()
  const open = () => new TenantState(node.storage, NOW, () => expect.unreachable())
  expect(open().identity).toBeUndefined()
  expect(() => open().tenant).toThrow('not told whose')
  open().init(TENANT)
  expect(open().tenant).toEqual(TENANT)
  open().init({ ...TENANT, name: 'ООО «Ромашка»' })
  expect(open().tenant.name).toBe('ООО «Ромашка»')
})

test('a restart knows what the rows since the checkpoint say', async () => {
  const { state, again } = setUp()
  await state.append([item(1)], NOW)
  state.checkpoint()
  await state.append([item(2)], NOW)
  const { memories, outbox, destinations } = again()
  expect(memories.get('h1')).toEqual(state.memories.get('h1'))
  expect(memories.get('h1')).toMatchObject({ ids: [idOf(1), idOf(2)], lastSeenMs: NOW + 2 })
  expect(outbox.head).toBe(2)
  expect(destinations.get('d1')).toMatchObject({ cursor: 0, uncertainBelow: 2 })
})

test('the series of a host are known after a crash, before any pump has opened its rows', async () => {
  const { state, again } = setUp()
  expect(state.seriesOf('h1')).toEqual([])
  await state.append([batchItem()], NOW)
  expect(again().seriesOf('h1')).toEqual([{ name: 'onec_cpu_percent', labels: {} }])
  expect(again().seriesOf('h2')).toEqual([])
})

test('a checkpoint frees what every destination has, and no more', async () => {
  const { state, again } = setUp()
  state.destinations.set('d2', newDestination(0))
  for (const number of [1, 2, 3]) await state.append([item(number)], NOW)
  state.destinations.set('d1', { ...newDestination(0), cursor: 3 })
  state.destinations.set('d2', { ...newDestination(0), cursor: 1 })
  state.checkpoint()
  expect(state.outbox.from(0).map(({ seq }) => seq)).toEqual([1, 2])
  expect(
    again()
      .outbox.from(0)
      .map(({ seq }) => seq),
  ).toEqual([1, 2])
})

test('events and dead letters are written with the checkpoint that they belong to', () => {
  const { state, again } = setUp()
  state.note({ atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: 'up' })
  state.bury(deadLetter())
  expect(again().store.events(9)).toEqual([])
  state.checkpoint()
  state.checkpoint()
  expect(again().store.events(9)).toHaveLength(1)
  expect(again().letters.list({}, 9)).toHaveLength(1)
})

test.each([
  ['1,000 letters', 1_003, 10, 1_000, 3],
  ['16 MB', 20, 1024 * 1024, 16, 4],
])('of dead letters the newest stay, %s of them, and what went is counted where it is written', (...numbers) => {
  const [, letters, bytes, kept, dropped] = numbers
  const { state, again } = setUp()
  const bury = (from: number, to: number) => {
    for (let number = from; number <= to; number += 1)
      state.bury(deadLetter({ reason: `№ ${number}`, body: new Uint8Array(bytes) }))
  }
  // Some are stored before, some wait in memory for one checkpoint: the bound holds for both.
  bury(1, 2)
  state.checkpoint()
  bury(3, letters)
  expect(again().destinations.get('d1')).toMatchObject({ deadLettersDropped: 0 })
  state.checkpoint()
  const { destinations, letters: stored } = again()
  expect(stored.list({}, 5_000)).toHaveLength(kept)
  expect(stored.list({}, 1)).toMatchObject([{ reason: `№ ${letters}`, bytes }])
  expect(destinations.get('d1')).toMatchObject({ deadLettersDropped: dropped })
})

test('letters that wait for a checkpoint in memory are bounded too', () => {
  const { state, again } = setUp()
  for (let number = 1; number <= 1_005; number += 1) state.bury(deadLetter({ reason: `№ ${number}` }))
  expect(state.destinations.get('d1')).toMatchObject({ deadLettersDropped: 5 })
  state.checkpoint()
  expect(again().letters.list({}, 5_000).at(-1)).toMatchObject({ reason: '№ 6' })
  expect(again().destinations.get('d1')).toMatchObject({ deadLettersDropped: 5 })
})

test('a letter that is dropped counts for its destination, of before ids by its name, for nobody when that is gone', () => {
  const { state } = setUp()
  const body = new Uint8Array(9 * 1024 * 1024)
  for (const destinationId of ['d1', null, 'd9']) state.bury(deadLetter({ destinationId }))
  state.checkpoint()
  for (const _ of [1, 2]) state.bury(deadLetter({ body }))
  // The first large one goes while it waits; three small and one large are within the bounds.
  expect(state.destinations.get('d1')).toMatchObject({ deadLettersDropped: 1 })
  state.checkpoint()
  state.bury(deadLetter({ body }))
  state.checkpoint()
  expect(state.letters.list({}, 9)).toHaveLength(1)
  expect(state.destinations.get('d1')).toMatchObject({ deadLettersDropped: 4 })
})

test('what a row says of a host is an event once, also when the object dies before its checkpoint', async () => {
  const { state, again } = setUp()
  for (const number of [1, 2, 3]) await state.append([{ ...item(number), sentAtMs: NOW - 7_200_000 }], NOW)
  const recovered = again()
  expect(recovered.memories.get('h1')).toEqual(state.memories.get('h1'))
  expect(recovered.store.events(9)).toEqual([])
  recovered.checkpoint()
  again().checkpoint()
  expect(again().store.events(9)).toMatchObject([{ kind: 'host_clock_corrected', subject: 'БУХ-1С' }])
})

test('what fails in a checkpoint leaves nothing of it behind', () => {
  const { state, again } = setUp()
  const fail = () => {
    state.store.setMeta('half', 'done')
    throw new Error('disk full')
  }
  expect(() => state.checkpoint(fail)).toThrow('aborted')
  expect(again().store.meta('half')).toBeUndefined()
})

test('a write that fails aborts the object', async () => {
  const { state, node } = setUp()
  node.syncError = new Error('disk full')
  await expect(state.append([item(1)], NOW)).rejects.toThrow('aborted')
})

test('a host that was removed while its batch was on the way stays forgotten', async () => {
  const { state, again } = setUp()
  await state.append([item(1)], NOW)
  const removed = hostRecord({ removedAtMs: NOW })
  state.hosts.set('h1', removed)
  state.memories.delete('h1')
  state.checkpoint(() => state.store.putHost(removed))
  await state.append([item(2)], NOW)
  expect(state.memories.has('h1')).toBe(false)
  expect(again().memories.has('h1')).toBe(false)
})

test.each([
  ['no checkpoint', 'DELETE FROM checkpoint'],
  ['a spoiled checkpoint', `UPDATE checkpoint SET body = x'00'`],
  ['a checkpoint with flipped bits', `UPDATE checkpoint SET body = ${FLIPPED}`],
  ['half a checkpoint', 'UPDATE checkpoint SET body = substr(body, 1, length(body) / 2)'],
  ['a missing row', 'DELETE FROM outbox'],
  ['a row in another slot', 'UPDATE outbox SET slot = slot + 1'],
  ['another row in its slot', 'UPDATE outbox SET seq = seq + 1'],
  ['a missing schema number', `DELETE FROM meta WHERE key = 'schema'`],
  ['a spoiled tenant', `UPDATE meta SET value = 'x' WHERE key = 'tenant'`],
  ['a spoiled host', `UPDATE hosts SET tokens = 'x'`],
  ['a spoiled destination', `UPDATE destinations SET settings = 'x'`],
])('%s is said, never written over, and all is well once it is put back', async (_, spoil) => {
  const { state, node, again } = setUp()
  await state.append([item(1)], NOW)
  state.checkpoint()
  node.database.exec(`SAVEPOINT spoilt; ${spoil}`)
  const before = contentOf(node.database)
  expect(again).toThrow(StateUnreadable)
  expect(contentOf(node.database)).toEqual(before)
  node.database.exec('ROLLBACK TO spoilt; RELEASE spoilt')
  const { memories, outbox } = again()
  expect(memories).toEqual(state.memories)
  expect(outbox.from(0)).toEqual(state.outbox.from(0))
})

test('a spoiled row since the checkpoint is said too', async () => {
  const { state, node, again } = setUp()
  await state.append([item(1)], NOW)
  node.database.exec(`UPDATE outbox SET body = x'c1'`)
  expect(again).toThrow(StateUnreadable)
})

test('a host is known by its id when its record is not', () => {
  const { state } = setUp()
  expect(state.host('h1')).toEqual({ id: 'h1', name: 'БУХ-1С', labels: {} })
  expect(state.host('h9')).toEqual({ id: 'h9', name: 'h9', labels: {} })
})

test('what is forgotten because there is too much of it is counted: events, and backups of a host', async () => {
  const { state, again } = setUp()
  const named = (name: string) => report({ name })
  const most = Array.from({ length: MAX_BACKUPS }, (_, index) => named(`База ${index}`))
  await state.append([batchItem({ id: idOf(1), backups: most })], NOW)
  await state.append([batchItem({ id: idOf(2), backups: [named('База 0'), named('Новая'), named('Новейшая')] })], NOW)
  for (let number = 0; number < 1_002; number += 1)
    state.note({ atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: `№ ${number}` })
  state.checkpoint()
  expect(state.counters).toMatchObject({ droppedBackups: 2, droppedEvents: 2 })
  expect(again().counters).toMatchObject({ droppedBackups: 2, droppedEvents: 2 })
})

test('what was counted outlives the object: rows, alarms, batches, and refusals of the last checkpoint', async () => {
  const { state, node, again } = setUp()
  state.countRefused('total')
  await state.append([item(1), item(2)], NOW)
  state.note({ atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: 'up' })
  await state.storage.setAlarm(NOW)
  state.checkpoint()
  await state.append([item(3)], NOW)
  state.countRefused('memory')
  const { rowsWritten } = state.counters
  expect(again().counters).toEqual({
    acceptedBatches: 3,
    refusedBatches: { memory: 0, total: 1 },
    rowsWritten,
    droppedEvents: 0,
    droppedBackups: 0,
  })
  // The schema's number, tenant, host, destination, its budget, a first and a second checkpoint, row, event, alarm, checkpoint, row.
  expect(rowsWritten).toBe(12)
  expect(node.alarms).toEqual([NOW])
})

test('what a tick said is known again without a checkpoint: the relay was not away since', () => {
  const { state, again } = setUp()
  state.say([relayItem(NOW + 60_000, null, { onec_ingest_batches_total: 1 })], NOW + 60_000)
  expect(again()).toMatchObject({ heartbeatMs: NOW + 60_000 })
  expect(again().outbox.from(0)).toHaveLength(1)
})
