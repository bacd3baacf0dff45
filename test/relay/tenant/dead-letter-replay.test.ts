import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DeadLetterDetail, DeadLetterView, EventView } from '../../../relay/tenant/rpc.ts'
import { type StandIn, startStandIn } from '../../support/stand-ins/stand-in.ts'
import { idOf, snapshot, TENANT, wireBatch } from './fixtures.ts'
import { addDestination, bundleWorker, enrolHost, newKeys, type Relay, startRelay } from './workerd.ts'

/** Dead letters in a real object: kept, shown, sent again over a restart, dropped. */

const WITHIN = { timeout: 10_000, interval: 50 }
const METRIC = 'onec_timestamp_unix'
const WORDS = 'duplicate label name in series'

let script: string
let directory: string
let relay: Relay
let prometheus: StandIn
const keys = newKeys()
const startMs = Date.now() - 60_000

beforeAll(async () => {
  script = await bundleWorker()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'onec-letters-'))
  relay = await startRelay(script, directory, keys)
  await relay.rpc('init', TENANT)
  prometheus = await startStandIn('remote-write', { outOfOrderWindowMs: 3_600_000 })
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
})

afterEach(async () => {
  await relay.stop()
  await prometheus.stop()
  await rm(directory, { recursive: true, force: true })
})

const letters = () => relay.rpc<DeadLetterView[]>('deadLetters', 99)
const values = () =>
  [...prometheus.series().values()]
    .filter(({ name, labels }) => name === METRIC && labels.instance === 'БУХ-1С')
    .flatMap(({ samples }) => samples.map(({ value, times }) => [value, times]))
    .toSorted(([one], [other]) => Number(one) - Number(other))

/** Posts batch `number` and waits until the destination has answered for it. */
async function post(token: string, number: number) {
  const snapshots = [snapshot(startMs + number * 1_000, { metrics: { [METRIC]: number } })]
  await relay.post(token, wireBatch({ id: idOf(number), seq: number, sentAtMs: Date.now(), snapshots }))
  await expect.poll(async () => (await relay.destination('Облако'))?.backlogBatches, WITHIN).toBe(0)
}

/** The host's letters, one a refused batch, oldest first. */
async function refuse(...numbers: readonly number[]) {
  const { token, hostId } = await enrolHost(relay, keys, 'БУХ-1С')
  prometheus.behave({ kind: 'status', status: 400, body: WORDS })
  for (const number of numbers) await post(token, number)
  prometheus.behave({ kind: 'ok' })
  const all = await letters()
  const shown = await Promise.all(all.map(({ id }) => relay.rpc<{ value: DeadLetterDetail }>('deadLetter', id)))
  const own = shown
    .map(({ value }) => value)
    .filter(({ batches }) => batches.some(({ source }) => source === 'agent'))
    .toReversed()
  return { token, hostId, own }
}

test('a poisoned batch is kept, shown, and taken when it is replayed, between live ones, also over a restart', async () => {
  const { token, hostId, own } = await refuse(1, 2)
  expect(own).toHaveLength(2)
  expect(own[0]).toMatchObject({
    destination: 'Облако',
    host: 'БУХ-1С',
    hostId,
    fromMs: startMs + 1_000,
    reason: expect.stringContaining(WORDS),
    batches: [{ snapshots: [{ atMs: startMs + 1_000, metrics: { [METRIC]: 1 } }] }],
  })
  await post(token, 3)
  expect(values()).toEqual([[3, 1]])

  await relay.rpc('suspendDestination', 'Облако')
  const ids = own.map(({ id }) => id)
  expect(await relay.rpc('replayDeadLetters', { ids })).toMatchObject({ ok: true, value: { replayed: 2, left: [] } })
  await relay.stop()
  relay = await startRelay(script, directory, keys)
  expect((await letters()).filter(({ id }) => ids.includes(id))).toEqual([])
  expect(values()).toEqual([[3, 1]])
  await relay.rpc('resumeDestination', 'Облако')
  await expect.poll(values, WITHIN).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ])
  await post(token, 4)
  expect(values()).toHaveLength(4)
  expect(prometheus.defects()).toEqual([])
  const events = await relay.rpc<EventView[]>('events', 9)
  expect(events).toContainEqual(expect.objectContaining({ kind: 'dead_letter_replayed', subject: 'Облако' }))
})

test('refused again it is a dead letter again, with the new reason; dropped it is gone', async () => {
  const { token, own } = await refuse(1)
  prometheus.behave({ kind: 'status', status: 422, body: 'still not' })
  expect(await relay.rpc('replayDeadLetters', { destination: 'Облако', host: 'БУХ-1С' })).toMatchObject({ ok: true })
  await expect
    .poll(async () => (await letters()).map(({ id, reason }) => [id > (own[0]?.id ?? 0), reason]), WITHIN)
    .toContainEqual([true, expect.stringContaining('still not')])
  prometheus.behave({ kind: 'ok' })
  expect(await relay.rpc('dropDeadLetters', { all: true })).toMatchObject({ ok: true, value: { left: [] } })
  expect(await letters()).toEqual([])
  await post(token, 2)
  expect(values()).toEqual([[2, 1]])
  expect(await relay.destination('Облако')).toMatchObject({ deadLettersDropped: 0 })
})

test('over 16 MB the oldest go, counted for their destination', async () => {
  const { token } = await refuse(1)
  const fillers = JSON.stringify(Array.from({ length: 25 }, (_, index) => index))
  await relay.rpc(
    'sql',
    `INSERT INTO dead_letters (at, destination, destination_id, host, samples, reason, body)
     SELECT 1, destination, destination_id, host, 1, 'filler', zeroblob(800 * 1024)
     FROM (SELECT * FROM dead_letters LIMIT 1), json_each('${fillers}')`,
  )
  const before = (await letters()).length
  prometheus.behave({ kind: 'status', status: 400, body: WORDS })
  await post(token, 2)
  await expect.poll(async () => (await letters())[0]?.reason, WITHIN).toContain(WORDS)
  const dropped = (await relay.destination('Облако'))?.deadLettersDropped ?? 0
  expect(dropped).toBeGreaterThan(0)
  expect((await letters()).length).toBeLessThan(before + 1)
  const [size] = await relay.rpc<{ bytes: number }[]>('sql', 'SELECT sum(length(body)) AS bytes FROM dead_letters')
  expect(size?.bytes).toBeLessThanOrEqual(16 * 1024 * 1024)
  await relay.stop()
  relay = await startRelay(script, directory, keys)
  expect((await relay.destination('Облако'))?.deadLettersDropped).toBeGreaterThanOrEqual(dropped)
})
