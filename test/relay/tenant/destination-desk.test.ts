import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchItem, NOW, relayItem } from './fixtures.ts'
import { setUpTenant } from './tenant-setup.ts'

/** An address that holds every request until it is told what to answer. */
async function startGate() {
  const waiting: ServerResponse[] = []
  let arrived = () => {}
  const server = createServer((message, response) => {
    message.resume().on('end', () => {
      waiting.push(response)
      arrived()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves to the next request, once it is there. */
    async next(): Promise<(status: number) => void> {
      if (waiting.length === 0)
        await new Promise<void>(resolve => {
          arrived = resolve
        })
      const response = waiting.shift()
      return status => void response?.writeHead(status).end()
    },
    count: () => waiting.length,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const HOUR = 3_600_000
const MB = 1024 * 1024

let gate: Awaited<ReturnType<typeof startGate>>

beforeEach(async () => {
  gate = await startGate()
})

afterEach(() => gate.stop())

async function setUp() {
  const tenant = setUpTenant()
  await tenant.desk.add({ name: 'Облако', sink: 'remote-write', settings: { url: gate.url } }, 'd1', NOW)
  return tenant
}

test('a name is taken once, and at most 20 destinations fit', async () => {
  const { desk } = await setUp()
  const add = (name: string) => desk.add({ name, sink: 'loki', settings: { url: gate.url } }, `d-${name}`, NOW)
  expect(await add('Облако')).toMatchObject({ ok: false, code: 'name_taken' })
  for (let number = 2; number <= 20; number += 1) expect(await add(`№ ${number}`)).toMatchObject({ ok: true })
  expect(await add('№ 21')).toMatchObject({ ok: false, code: 'destination_refused' })
  expect(await desk.add({ name: 'x', sink: 'graphite', settings: {} }, 'd', NOW)).toMatchObject({
    detail: expect.stringContaining('remote-write, pushgateway, influxdb, loki'),
  })
})

test('two who add the same name at once: one wins', async () => {
  const { desk } = await setUp()
  const input = { name: 'Логи', sink: 'loki', settings: { url: gate.url } }
  const results = await Promise.all([desk.add(input, 'd2', NOW), desk.add(input, 'd3', NOW)])
  expect(results.map(({ ok }) => ok).toSorted()).toEqual([false, true])
})

test('a new destination takes what is accepted from now on', async () => {
  const { desk, state } = await setUp()
  await state.append([batchItem()], NOW)
  const added = await desk.add({ name: 'Логи', sink: 'loki', settings: { url: gate.url } }, 'd2', NOW)
  expect(added).toMatchObject({ value: { backlogBatches: 0, state: 'active' } })
})

test('an edit keeps what it does not name, secrets too, and shows none', async () => {
  const { desk } = await setUp()
  await desk.edit('d1', { settings: { user: '7', password: 'пароль-1' } })
  const edited = await desk.edit('Облако', { name: 'Облако 2', settings: { user: '8' } })
  expect(edited).toMatchObject({
    value: { name: 'Облако 2', version: 3, secrets: ['password'], settings: { url: gate.url, user: '8' } },
  })
  expect(JSON.stringify(edited)).not.toContain('пароль-1')
  expect(await desk.edit('нет такого', {})).toMatchObject({ code: 'not_found' })
  expect(await desk.edit('d1', { settings: { url: null } })).toMatchObject({ code: 'destination_refused' })
})

test('edited while a request is in flight: its outcome changes nothing, the new settings get everything', async () => {
  const { desk, state, deliveries, pumpEnded, destination } = await setUp()
  await state.append([batchItem()], NOW)
  deliveries.startPumps()
  const answer = await gate.next()
  const other = await startGate()
  await desk.edit('d1', { settings: { url: other.url } })
  const ended = pumpEnded()
  answer(401)
  await ended
  expect(destination('Облако')).toMatchObject({ state: 'active', backlogBatches: 1 })

  const second = await other.next()
  const done = pumpEnded()
  second(204)
  await done
  await other.stop()
  expect(destination('Облако')).toMatchObject({ state: 'active', backlogBatches: 0, deliveredBatches: 1 })
})

test('removed while a request is in flight: nothing of it comes back, and it holds no rows', async () => {
  const { desk, state, deliveries, pumpEnded } = await setUp()
  await state.append([batchItem()], NOW)
  deliveries.startPumps()
  const answer = await gate.next()
  const ended = pumpEnded()
  await desk.remove('d1')
  answer(503)
  await ended
  expect(state.destinations.size).toBe(0)
  expect(state.outbox.from(0)).toEqual([])
})

test('removed while a test of it is in flight: no memory of it stays behind to hold rows', async () => {
  const { desk, state } = await setUp()
  const tested = desk.test('d1', () => NOW)
  const answer = await gate.next()
  await desk.remove('d1')
  answer(204)
  expect(await tested).toMatchObject({ value: { outcome: { kind: 'delivered' } } })
  expect(state.destinations.size).toBe(0)
})

test('an operator’s stop holds also when a request in flight is answered after it', async () => {
  const { desk, state, deliveries, pumpEnded, destination } = await setUp()
  await state.append([batchItem()], NOW)
  deliveries.startPumps()
  const answer = await gate.next()
  expect(desk.suspend('d1', NOW)).toMatchObject({ value: { state: 'suspended' } })
  const ended = pumpEnded()
  answer(204)
  await ended
  expect(destination('Облако')).toMatchObject({ state: 'suspended', reason: 'suspended by an operator' })

  await state.append([relayItem(NOW, null, { onec_dead_letters_total: 0 })], NOW)
  deliveries.startPumps()
  expect(deliveries.isPumping).toBe(false)

  desk.resume('d1')
  deliveries.startPumps()
  // The row in flight may be stored already: it goes alone.
  const [first, second] = [await gate.next(), gate.next()]
  first(400)
  ;(await second)(204)
  await pumpEnded()
  expect(destination('Облако')).toMatchObject({ state: 'active', backlogBatches: 0 })
})

test('a test that passes resumes a suspended destination, one that fails does not', async () => {
  const { desk, destination } = await setUp()
  desk.suspend('d1', NOW)
  const failing = desk.test('d1', () => NOW)
  ;(await gate.next())(401)
  expect(await failing).toMatchObject({ value: { outcome: { kind: 'suspended' } } })
  expect(destination('Облако')?.state).toBe('suspended')
  const passing = desk.test('d1', () => NOW)
  ;(await gate.next())(204)
  await passing
  expect(destination('Облако')?.state).toBe('active')
})

test('a destination over its budget loses its oldest, counted and said', async () => {
  const { state, deliveries, desk, clock, destination } = await setUp()
  desk.suspend('d1', NOW)
  await state.append([batchItem()], NOW)
  await state.append([batchItem({ receivedAtMs: NOW + 3_600_000 })], NOW)
  clock.now = NOW + 24 * 3_600_000 + 1
  deliveries.enforceBudgets(clock.now)
  state.checkpoint()
  expect(destination('Облако')).toMatchObject({ backlogBatches: 1, droppedSamples: 1, state: 'suspended' })
  expect(state.store.events(1)).toMatchObject([{ kind: 'destination_dropped', subject: 'Облако' }])
})

test('a budget is shown as it counts, edited bound by bound, and reset by null', async () => {
  const { desk, state } = await setUp()
  const input = { name: 'Логи', sink: 'loki', settings: { url: gate.url }, budget: { ageMs: HOUR } }
  expect(await desk.add(input, 'd2', NOW)).toMatchObject({ value: { budget: { ageMs: HOUR, bytes: 64 * MB } } })
  const edited = await desk.edit('d2', { budget: { bytes: 2 * MB } })
  expect(edited).toMatchObject({ value: { budget: { ageMs: HOUR, bytes: 2 * MB }, settings: { url: gate.url } } })
  const reset = await desk.edit('d2', { budget: { ageMs: null } })
  expect(reset).toMatchObject({ value: { budget: { ageMs: 24 * HOUR, bytes: 2 * MB } } })
  expect(state.store.destinations().map(({ id, budget }) => [id, budget])).toEqual([
    ['d1', {}],
    ['d2', { bytes: 2 * MB }],
  ])
})

test('each destination loses what is over its own age, and no other does', async () => {
  const { state, deliveries, desk, destination } = await setUp()
  const input = { name: 'Кратко', sink: 'loki', settings: { url: gate.url }, budget: { ageMs: HOUR } }
  await desk.add(input, 'd2', NOW)
  for (const id of ['d1', 'd2']) desk.suspend(id, NOW)
  await state.append([batchItem()], NOW)
  await state.append([batchItem({ receivedAtMs: NOW + 1 })], NOW)
  deliveries.enforceBudgets(NOW + HOUR + 1)
  expect(destination('Облако')).toMatchObject({ backlogBatches: 2, droppedSamples: 0 })
  expect(destination('Кратко')).toMatchObject({ backlogBatches: 1, droppedSamples: 1 })
})

test('each destination loses what is over its own bytes, oldest first, at once when the budget is lowered', async () => {
  const { state, deliveries, desk, destination } = await setUp()
  desk.suspend('d1', NOW)
  for (const number of [0, 1, 2]) await state.append([batchItem({ receivedAtMs: NOW + number })], NOW)
  deliveries.enforceBudgets(NOW)
  expect(destination('Облако')).toMatchObject({ backlogBatches: 3, droppedSamples: 0 })
  const bytes = state.outbox.from(1).reduce((sum, row) => sum + row.bytes, 0)
  await desk.edit('d1', { budget: { bytes } })
  deliveries.enforceBudgets(NOW)
  expect(destination('Облако')).toMatchObject({ oldestAtMs: NOW + 1, backlogBytes: bytes, droppedSamples: 1 })
  state.checkpoint()
  expect(state.store.events(1)).toMatchObject([{ kind: 'destination_dropped', subject: 'Облако' }])
})
