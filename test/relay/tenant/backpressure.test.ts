import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { relayApp } from '../../../relay/app.ts'
import { mintHostToken, newSecret } from '../../../relay/auth/token.ts'
import type { Env } from '../../../relay/env.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import { MAX_PENDING_BYTES } from '../../../relay/tenant/commit-queue.ts'
import { sizeBytes } from '../../../relay/tenant/row.ts'
import { SimulatedObject } from '../../support/simulated-object.ts'
import { SimulatedTime } from '../../support/simulated-time.ts'
import { batchItem, idOf, NOW, snapshot, TENANT, wireBatch } from './fixtures.ts'

/** Real time, for what runs on other threads. */
const ANSWERED_WITHIN_MS = 10_000

const MB = 1024 * 1024
const FILLER = 'ж'.repeat(28_000)

/** Large: 56 KB as sent, one sample and one line of a log. */
function bodyOf(number: number): Uint8Array<ArrayBuffer> {
  const entries = [{ atMs: NOW, level: 'info' as const, message: FILLER }]
  const batch = wireBatch({ id: idOf(number), seq: number, snapshots: [snapshot(NOW + number)], entries })
  return new TextEncoder().encode(JSON.stringify(batch))
}

const ITEM_BYTES = sizeBytes(batchItem({ body: bodyOf(1) }))

/** The relay as agents see it, over a real tenant object on a simulated runtime; one host and one destination. */
async function setUp() {
  const time = new SimulatedTime(NOW)
  const object = await SimulatedObject.start(time, { syncMs: 0, answer: () => ({ status: 204, afterMs: 5 }) })
  await object.rpc.init(TENANT)
  const { secret, secretHash } = await newSecret()
  const host = { machineId: 'machine-1', hostname: 'SRV-1C', name: 'БУХ-1С', os: 'Windows Server 2022', secretHash }
  const enrolled = await object.rpc.enrol(host)
  if (!enrolled.ok) throw new Error(enrolled.detail)
  const added = await time.resolve(
    // One that takes any order: a crowd of posts of one host arrives in whatever order their tokens were checked.
    object.rpc.addDestination({
      name: 'Облако',
      sink: 'influxdb',
      settings: { url: 'http://127.0.0.1:9/', api: 'v1', db: 'onec' },
    }),
  )
  expect(added).toMatchObject({ ok: true })

  const RELAY_KEYS = generateKeyring()
  const { hostId } = enrolled.value
  const token = await mintHostToken(readKeyring(RELAY_KEYS), { tenantId: TENANT.id, shard: 0, hostId, secret })
  const env = { RELAY_KEYS, TENANT: { getByName: () => object.rpc } } as unknown as Env
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = (number: number) =>
    relayApp().request('/v1/batches', { method: 'POST', headers, body: bodyOf(number) }, env) as Promise<Response>
  return { time, object, post, view: async () => (await object.rpc.destinations())[0] }
}

/** Whatever of `posts` is answered by the time that `until` says enough, with no time passing but for the disk. */
async function answersOf(time: SimulatedTime, posts: Promise<Response>[], until: (answered: Response[]) => boolean) {
  const answered: Response[] = []
  for (const post of posts) void post.then(reply => answered.push(reply))
  const deadline = performance.now() + ANSWERED_WITHIN_MS
  while (!until(answered)) {
    if (performance.now() > deadline) throw new Error(`only ${answered.length} of ${posts.length} were answered`)
    await turn()
    await time.run(time.now)
  }
  return answered
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

async function expectToComeAgain(reply: Response | undefined) {
  expect(reply?.status).toBe(429)
  expect(Number(reply?.headers.get('Retry-After'))).toBeGreaterThan(0)
  expect(await reply?.json()).toMatchObject({ code: 'backlog_full' })
}

test('more than 8 MB on the way to the disk: 429, counted, and all that was taken is delivered', async () => {
  const { time, object, post, view } = await setUp()
  const fits = Math.floor(MAX_PENDING_BYTES / ITEM_BYTES)
  object.stallWrites()
  const posts = range(1, fits + 3).map(post)
  const refused = await answersOf(time, posts, answered => answered.length === 3)
  for (const reply of refused) await expectToComeAgain(reply)

  object.resumeWrites()
  const replies = await answersOf(time, posts, answered => answered.length === posts.length)
  const stored = replies.filter(({ status }) => status === 200)
  expect(stored).toHaveLength(fits)
  // What was refused is taken when it comes again.
  const [again] = await answersOf(time, [post(fits + 4)], answered => answered.length === 1)
  expect(again?.status).toBe(200)
  await time.run(time.now + 60_000)
  expect(await view()).toMatchObject({ deliveredBatches: fits + 1, droppedSamples: 0, backlogBatches: 0 })
  expect(await object.rpc.counters()).toMatchObject({
    acceptedBatches: fits + 1,
    refusedBatches: { memory: 3, total: 0 },
  })
})

test('an outbox over its total: 429, counted, nothing dropped for it, until the budget drops the oldest', async () => {
  const { time, object, post, view } = await setUp()
  await object.rpc.suspendDestination('Облако')
  let stored = 0
  let refused: Response | undefined
  while (!refused && stored * ITEM_BYTES < 100 * MB) {
    const [reply] = await answersOf(time, [post(stored + 1)], answered => answered.length === 1)
    if (reply?.status === 200) stored += 1
    else refused = reply
  }
  await expectToComeAgain(refused)
  expect(stored * ITEM_BYTES).toBeGreaterThan(80 * MB)
  expect(await view()).toMatchObject({ backlogBatches: stored, droppedSamples: 0 })
  expect(await object.rpc.counters()).toMatchObject({
    acceptedBatches: stored,
    refusedBatches: { memory: 0, total: 1 },
  })
  // The counter is with the next checkpoint: it outlives the object.
  await object.rpc.suspendDestination('Облако')
  object.evict()
  expect(await object.rpc.counters()).toMatchObject({ refusedBatches: { memory: 0, total: 1 } })

  await time.run(time.now + 5_000)
  const after = await view()
  expect(after?.droppedSamples).toBeGreaterThan(0)
  expect((after?.droppedSamples ?? 0) + (after?.backlogBatches ?? 0), 'one sample a batch').toBe(stored)
  expect((await object.rpc.events(9)).map(({ kind }) => kind)).toContain('destination_dropped')
  const [again] = await answersOf(time, [post(stored + 2)], answered => answered.length === 1)
  expect(again?.status).toBe(200)
})
