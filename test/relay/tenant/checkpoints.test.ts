import { expect, test } from 'vitest'
import type { IngestHeader } from '../../../relay/tenant/rpc.ts'
import { SimulatedObject } from '../../support/simulated-object.ts'
import { SimulatedTime } from '../../support/simulated-time.ts'
import { batchItem, idOf, NOW, snapshot, TENANT, wireBatch } from './fixtures.ts'

const MINUTE = 60_000
const SECRET_HASH = 'a'.repeat(64)

/** A tenant object with one host, and a remote write for each of these times that an answer takes. */
async function setUp(...answerAfterMs: number[]) {
  const time = new SimulatedTime(NOW)
  let checkpoints = 0
  const object = await SimulatedObject.start(time, {
    syncMs: 3,
    answer: url => ({ status: 204, afterMs: answerAfterMs[Number(new URL(url).port) - 9_000] ?? 0 }),
    wrote: statement => {
      if (/INTO checkpoint/.test(statement)) checkpoints += 1
    },
  })
  const { rpc } = object
  await rpc.init(TENANT)
  const machine = { machineId: 'machine-1', hostname: 'SRV-1C', name: 'БУХ-1С', os: '', secretHash: SECRET_HASH }
  const enrolled = await rpc.enrol(machine)
  if (!enrolled.ok) throw new Error(enrolled.detail)
  for (const index of answerAfterMs.keys()) {
    const settings = { url: `http://127.0.0.1:${9_000 + index}/` }
    await time.resolve(rpc.addDestination({ name: `Облако ${index}`, sink: 'remote-write', settings }))
  }
  const { hostId } = enrolled.value
  const post = async (number: number) => {
    const batch = wireBatch({ id: idOf(number), seq: number, snapshots: [snapshot(time.now)] })
    const { kind, receivedAtMs, dueAtMs, body, ...known } = batchItem({ hostId }, batch)
    const header = { ...known, rpc: 1, secretHash: SECRET_HASH, sentAtMs: time.now, snapshots: 1 } as IngestHeader
    expect(await time.resolve(rpc.ingest(header, body))).toMatchObject({ value: { status: 'stored' } })
  }
  const delivered = async () => (await rpc.destinations()).map(({ deliveredBatches }) => deliveredBatches)
  return { time, object, post, delivered, written: () => checkpoints }
}

test('a destination that takes longer than a minute for each request keeps no other from its checkpoints', async () => {
  const { time, object, post, delivered, written } = await setUp(100, 70_000)
  const before = written()
  for (let minute = 1; minute <= 10; minute += 1) {
    await post(minute)
    await time.run(NOW + minute * MINUTE)
  }
  expect(written() - before).toBeGreaterThanOrEqual(10)
  // What was known a minute ago is known again by an object that dies now.
  const [fast = 0, slow = 0] = await delivered()
  object.evict()
  const [fastAgain = 0, slowAgain = 0] = await delivered()
  expect(fastAgain).toBeGreaterThanOrEqual(fast - 1)
  expect(slowAgain).toBeGreaterThanOrEqual(slow - 1)
  expect(fast).toBeGreaterThanOrEqual(9)
})

test('an object that dies between a tick and the end of its pumps sends again what it does not know of', async () => {
  const { time, object, post, delivered, written } = await setUp(5_000)
  await post(1)
  await time.run(NOW + MINUTE)
  // To where nothing is on its way, and from there into the pump of the next tick.
  while (object.isFetching) await time.run(time.now + 100)
  expect(await delivered()).toEqual([1])
  const before = written()
  await post(2)
  while (!object.isFetching) await time.run(time.now + 100)
  expect(written() - before, 'nothing but rows says it').toBe(0)
  object.evict()
  expect(await object.rpc.destinations()).toMatchObject([{ deliveredBatches: 1, backlogBatches: 1 }])
  await time.run(time.now + 15_000)
  expect(await object.rpc.destinations()).toMatchObject([{ deliveredBatches: 2, backlogBatches: 0, droppedSamples: 0 }])
  expect(await object.rpc.host('БУХ-1С')).toMatchObject({ value: { state: 'up' } })
})
