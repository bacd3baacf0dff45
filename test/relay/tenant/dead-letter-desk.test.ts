import { expect, test } from 'vitest'
import { decodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { DeadLetterDesk } from '../../../relay/tenant/dead-letter-desk.ts'
import type { ReplayItem } from '../../../relay/tenant/row.ts'
import { TenantState } from '../../../relay/tenant/state.ts'
import { batchItem, deadLetter, hostRecord, NOW } from './fixtures.ts'
import { nodeStorage } from './node-storage.ts'
import { setUpTenant } from './tenant-setup.ts'

const CLOUD = {
  name: 'Облако',
  sink: 'remote-write',
  settings: { url: 'http://127.0.0.1:9/', user: 'u', password: 'тайна-1' },
}
const GATEWAY = { name: 'Шлюз', sink: 'pushgateway', settings: { url: 'http://127.0.0.1:9/' } }

/** A tenant with two destinations, suspended, and letters that they refused. */
async function setUp(...letters: readonly Parameters<typeof deadLetter>[0][]) {
  const tenant = setUpTenant()
  await tenant.desk.add(CLOUD, 'd1', NOW)
  await tenant.desk.add({ ...CLOUD, name: 'Архив' }, 'd2', NOW)
  await tenant.desk.add(GATEWAY, 'd3', NOW)
  for (const letter of letters) tenant.state.bury(deadLetter(letter))
  tenant.state.checkpoint()
  const { state, deliveries } = tenant
  const ids = (filter = {}) => letterDesk.list(99, filter).map(({ id }) => id)
  const letterDesk = new DeadLetterDesk(state, deliveries)
  const replays = () => state.outbox.from(0).flatMap(row => state.outbox.read(row) as readonly ReplayItem[])
  return { ...tenant, letters: letterDesk, ids, replays }
}

test('letters are listed by destination and host, under the name of today', async () => {
  const { letters, ids, desk } = await setUp({}, { destinationId: 'd2', destination: 'Архив', hostId: 'h2' })
  await desk.edit('Облако', { name: 'Главное' })
  expect(letters.list(1, { destination: 'Главное' })).toEqual([
    expect.objectContaining({ id: 1, destination: 'Главное', destinationId: 'd1', host: 'БУХ-1С' }),
  ])
  expect([ids(), ids({ destination: 'd2' }), ids({ host: 'БУХ-h2' }), ids({ host: 'нет' })]).toEqual([
    [2, 1],
    [2],
    [2],
    [],
  ])
  expect(letters.list(1, {})).toHaveLength(1)
})

test('a letter is shown with what is in it, and no settings of a destination', async () => {
  const { letters } = await setUp({ reason: 'HTTP 400: no such user u / [redacted]' }, { body: new Uint8Array([7]) })
  const shown = letters.show(1)
  expect(shown).toMatchObject({
    ok: true,
    value: { id: 1, batches: [{ host: 'БУХ-h1', snapshots: [{ atMs: NOW - 5 }] }], cut: { snapshots: 0 } },
  })
  expect(JSON.stringify(shown)).not.toMatch(/тайна|127\.0\.0\.1/)
  expect(letters.show(2)).toMatchObject({ ok: false, code: 'dead_letter_unreadable' })
  expect(letters.show(3)).toMatchObject({ ok: false, code: 'not_found' })
})

test('a replay is in the outbox and no letter any more, or the other way round', async () => {
  const tenant = await setUp({ samples: 3 }, {})
  const { letters, state, ids, replays } = tenant
  expect(letters.replay({ ids: [1] }, NOW)).toEqual({ ok: true, value: { replayed: 1, samples: 3, left: [] } })
  expect(ids()).toEqual([2])
  expect(replays()).toMatchObject([{ kind: 'replay', destinationId: 'd1', samples: 3, atMs: NOW }])
  expect(decodeLetter(replays()[0]?.body ?? new Uint8Array())).toMatchObject([{ host: { id: 'h1' } }])
  expect(state.store.events(1)).toMatchObject([{ kind: 'dead_letter_replayed', subject: 'Облако' }])
  // What an operator takes is not what the bound took.
  expect(tenant.destination('Облако')).toMatchObject({ deadLettersDropped: 0, backlogBatches: 0 })
  expect(tenant.destination('Облако')?.backlogBytes).toBeGreaterThan(0)
  expect(tenant.destination('Архив')).toMatchObject({ backlogBytes: 0, oldestAtMs: null })
})

test('a replay that waits longer than the budget is lost to its destination, counted, and to no other', async () => {
  const tenant = await setUp({ samples: 3 })
  tenant.letters.replay({ all: true }, NOW)
  tenant.deliveries.enforceBudgets(NOW + 25 * 3_600_000)
  expect(tenant.destination('Облако')).toMatchObject({ droppedSamples: 3, backlogBytes: 0 })
  expect(tenant.destination('Архив')).toMatchObject({ droppedSamples: 0 })
})

test('a replay whose write fails leaves the letter where it was', async () => {
  const { state, letters, node } = await setUp({})
  node.database.exec(`CREATE TRIGGER full BEFORE DELETE ON dead_letters BEGIN SELECT raise(ABORT, 'disk full'); END`)
  expect(() => letters.replay({ all: true }, NOW)).toThrow('disk full')
  const again = new TenantState(nodeStorage(node.database).storage, NOW, error => {
    throw error
  })
  expect(again.letters.list({}, 9)).toHaveLength(1)
  expect(again.outbox.head).toBe(0)
  expect(state.tenant).toEqual(again.tenant)
})

test('what cannot be replayed stays, by its reason; the rest goes', async () => {
  const { letters, ids, desk, replays } = await setUp(
    {},
    { destinationId: 'd2', destination: 'Архив' },
    { destinationId: 'd2', destination: 'Архив' },
    { destinationId: 'd3', destination: 'Шлюз' },
    { body: new Uint8Array([7]) },
    // Of before ids were stored: its name finds it, or does not.
    { destinationId: null },
    { destinationId: null, destination: 'Логи' },
  )
  await desk.remove('Архив')
  // One of the same name is not the one that refused it.
  await desk.add({ ...CLOUD, name: 'Архив' }, 'd9', NOW)
  const replayed = letters.replay({ all: true }, NOW)
  expect(replayed).toMatchObject({ ok: true, value: { replayed: 2 } })
  expect(replayed.ok && replayed.value.left.map(({ code, letters: some }) => [code, some])).toEqual([
    ['destination_gone', 2],
    ['replay_unsupported', 1],
    ['dead_letter_unreadable', 1],
    ['destination_gone', 1],
  ])
  expect(ids()).toEqual([7, 5, 4, 3, 2])
  expect(replays().map(({ destinationId }) => destinationId)).toEqual(['d1', 'd1'])
  expect(letters.replay({ ids: [4] }, NOW)).toMatchObject({ ok: false, code: 'replay_unsupported' })
  expect(letters.replay({ ids: [99] }, NOW)).toMatchObject({ ok: false, code: 'not_found' })
  expect(letters.replay({ destination: 'Шлюз', host: 'нет' }, NOW)).toMatchObject({ ok: true, value: { replayed: 0 } })
  expect(letters.replay({}, NOW)).toMatchObject({ ok: true, value: { replayed: 0 } })
})

test('a replay that would cost what waits its place is put off', async () => {
  const { letters, state, ids } = await setUp({}, { destinationId: 'd2', destination: 'Архив' })
  const budget = 64 * 1024 * 1024
  const rows = 65
  for (let row = 0; row < rows; row += 1) await state.append([batchItem({ body: new Uint8Array(budget / rows) })], NOW)
  expect(letters.replay({ all: true }, NOW)).toMatchObject({ ok: false, code: 'backlog_full' })
  expect(ids()).toEqual([2, 1])
  // Another one that has caught up takes its own.
  state.destinations.set('d2', { ...deliveriesMemory(state, 'd2'), cursor: state.outbox.head })
  expect(letters.replay({ all: true }, NOW)).toMatchObject({
    ok: true,
    value: { replayed: 1, left: [{ code: 'backlog_full', letters: 1 }] },
  })
})

function deliveriesMemory(state: TenantState, id: string) {
  const memory = state.destinations.get(id)
  if (!memory) throw new Error(`no memory of ${id}`)
  return memory
}

test('a drop is for good: nothing is sent, an event says so, no counter moves', async () => {
  const tenant = await setUp({}, { samples: 4, destinationId: 'd2', destination: 'Архив' }, {})
  const { letters, ids, state } = tenant
  expect(letters.drop({ destination: 'Архив' }, NOW)).toEqual({ ok: true, value: { dropped: 1, samples: 4, left: [] } })
  expect(letters.drop({ ids: [1, 2] }, NOW)).toMatchObject({
    ok: true,
    value: { dropped: 1, left: [{ code: 'not_found', letters: 1 }] },
  })
  expect(letters.drop({}, NOW)).toMatchObject({ ok: true, value: { dropped: 0 } })
  expect(ids()).toEqual([3])
  expect(letters.drop({ ids: [1] }, NOW)).toMatchObject({ ok: false, code: 'not_found' })
  expect(letters.drop({ all: true }, NOW)).toMatchObject({ ok: true, value: { dropped: 1 } })
  expect(ids()).toEqual([])
  expect(state.outbox.head).toBe(0)
  expect(state.store.events(9).map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
    'dead_letter_dropped Облако',
    'dead_letter_dropped Облако',
    'dead_letter_dropped Архив',
  ])
  expect(tenant.destination('Облако')).toMatchObject({ deadLettersDropped: 0, deadLetters: 0 })
})

test('a host that was removed is found by the name it had', async () => {
  const { ids, state } = await setUp({ host: 'БУХ-h1' })
  state.hosts.set('h1', hostRecord({ removedAtMs: NOW }))
  expect([ids({ host: 'БУХ-h1' }), ids({ host: 'h1' })]).toEqual([[1], [1]])
})
