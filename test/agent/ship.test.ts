import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../agent/clock.ts'
import { exchange } from '../../agent/relay.ts'
import { createShipper, type Shipper } from '../../agent/ship.ts'
import { type Aside, openAside } from '../../agent/spool/aside.ts'
import { diskFiles } from '../../agent/spool/files.ts'
import { openSpool, type Spool } from '../../agent/spool/spool.ts'
import { type FakeRelay, refusal, startFakeRelay } from './support/fake-relay.ts'
import { itemAt } from './support/spool.ts'

const TOKEN = 'ohr1.k1.demo.0.h1.secret.mac'
let directory: string
let relay: FakeRelay
let spool: Spool
let aside: Aside

function openDisk(): void {
  const bounds = { maxBytes: 1 << 20, maxAgeMs: 7 * 86_400_000 }
  spool = openSpool({ files: diskFiles, directory, ...bounds, cut: items => Math.min(items.length, 2) })
  aside = openAside(diskFiles, path.join(directory, 'aside'))
}

function shipper(routes: readonly string[] = [relay.url]): Shipper {
  const agent = () => ({ version: '0.1.0', os: 'Linux', hostname: 'БУХ-1С', intervalMs: 60_000, bootId: 'b' })
  return createShipper({ spool, aside, exchange, routes, token: TOKEN, agent, clock: systemClock, random: () => 0.5 })
}

const fill = (count: number) => {
  for (let index = 0; index < count; index++) spool.append(itemAt(index), itemAt(index).atMs)
}
const storedTimes = () => [...relay.stored.values()].flatMap(batch => batch.snapshots.map(snapshot => snapshot.atMs))
const times = (count: number) => Array.from({ length: count }, (_, index) => itemAt(index).atMs)

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-ship-'))
  relay = await startFakeRelay()
  openDisk()
})
afterEach(async () => {
  spool.close()
  await relay.close()
  rmSync(directory, { recursive: true })
})

describe('shipper', () => {
  it('ships the oldest first, says what waits, and stops when nothing does', async () => {
    relay.nextInMs = 41_250
    fill(5)
    const ship = shipper()
    expect(await ship.step()).toMatchObject({
      kind: 'delivered',
      waitMs: 41_250,
      drained: false,
      snapshots: 2,
      metrics: 4,
    })
    expect(await ship.step()).toMatchObject({ kind: 'delivered', drained: false })
    expect(await ship.step()).toMatchObject({ kind: 'delivered', drained: true, snapshots: 1 })
    expect(await ship.step()).toEqual({ kind: 'idle' })
    expect(storedTimes()).toEqual(times(5))
    expect(relay.posts.map(({ seq, spool: { pendingBatches } }) => [seq, pendingBatches])).toEqual([
      [1, 2],
      [2, 1],
      [3, 0],
    ])
    expect(relay.requests.every(request => request.authorization === `Bearer ${TOKEN}`)).toBe(true)
  })

  it.each([
    ['the connection dies after the relay stored it', { status: 0, hangUp: true, store: true } as const],
    ["a proxy's page", { status: 200, body: '<html>Добро пожаловать</html>' }],
    [
      "another batch's yes",
      { status: 200, body: JSON.stringify({ id: 'A'.repeat(16), status: 'stored', nextInMs: 0, config: 1 }) },
    ],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['a 502', { status: 502, body: '<html>' }],
    ["a proxy's 413", { status: 413, body: '<html>' }],
    ['a 429', refusal('backlog_full')],
  ])('repeats the same batch after %s', async (_, answer) => {
    fill(3)
    relay.answers.push(answer)
    const first = await shipper().step()
    expect(first).toMatchObject({ kind: 'retry' })
    spool.close()
    openDisk()
    const ship = shipper()
    await ship.step()
    await ship.step()
    const [before, again] = relay.posts
    expect(again?.id).toBe(before?.id)
    expect(again?.seq).toBe(before?.seq)
    expect(JSON.stringify(again?.snapshots)).toBe(JSON.stringify(before?.snapshots))
    expect(storedTimes()).toEqual(times(3))
    expect(relay.stored.size).toBe(2)
  })

  it('backs off further and further, and honours Retry-After', async () => {
    fill(1)
    const ship = shipper()
    for (let index = 0; index < 4; index++) relay.answers.push(refusal('unavailable'))
    relay.answers.push({ ...refusal('backlog_full'), headers: { 'retry-after': '77' } })
    const waits: unknown[] = []
    for (let index = 0; index < 5; index++) waits.push(await ship.step())
    expect(waits.map(each => (each as { waitMs: number }).waitMs)).toEqual([750, 1_500, 3_000, 6_000, 77_000])
  })

  it('tries its other route at once, and stays with the one that works', async () => {
    const closed = await closedPort()
    fill(4)
    const ship = shipper([`http://127.0.0.1:${closed}`, relay.url])
    expect(await ship.step()).toMatchObject({ kind: 'retry', waitMs: 0 })
    expect(await ship.step()).toMatchObject({ kind: 'delivered' })
    expect(ship.route).toBe(relay.url)
    expect(await ship.step()).toMatchObject({ kind: 'delivered' })
  })

  it('waits once every route has failed', async () => {
    const closed = await closedPort()
    fill(1)
    const ship = shipper([`http://127.0.0.1:${closed}`, `http://127.0.0.1:${closed}/second`])
    const waits = [await ship.step(), await ship.step(), await ship.step(), await ship.step()]
    expect(waits.map(each => (each.kind === 'retry' ? each.waitMs : -1))).toEqual([0, 750, 0, 1_500])
  })

  it('puts a refused batch aside, goes on, and offers it to another release of the relay', async () => {
    fill(4)
    relay.answers.push(refusal('label_invalid'))
    const ship = shipper()
    expect(await ship.step()).toMatchObject({ kind: 'rejected' })
    expect(await ship.step()).toMatchObject({ kind: 'delivered' })
    expect(await ship.step()).toEqual({ kind: 'idle' })
    expect([aside.count, spool.dropped]).toEqual([1, 0])
    spool.close()
    openDisk()
    expect(aside.count).toBe(1)
    relay.version = '1.0.1'
    spool.append(itemAt(4), itemAt(4).atMs)
    const later = shipper()
    await later.step()
    expect(await later.step()).toMatchObject({ kind: 'delivered', snapshots: 2 })
    expect(aside.count).toBe(0)
    expect(relay.posts.at(-1)?.id).toBe(relay.posts[0]?.id)
    expect(await later.step()).toEqual({ kind: 'idle' })
  })

  it('sends what is new before what was refused, whose next refusal does not slow it down', async () => {
    fill(4)
    relay.answers.push(refusal('label_invalid'))
    const ship = shipper()
    const first = await ship.step()
    await ship.step()
    relay.version = '1.0.1'
    spool.append(itemAt(4), itemAt(4).atMs)
    expect(await ship.step()).toMatchObject({ kind: 'delivered', snapshots: 1 })
    spool.append(itemAt(5), itemAt(5).atMs)
    expect(await ship.step()).toMatchObject({ kind: 'delivered', snapshots: 1 })
    relay.answers.push(refusal('label_invalid'))
    expect(await ship.step()).toEqual(first)
    expect(aside.count).toBe(1)
  })

  it('keeps everything while it is not let in, and says removed when it is', async () => {
    fill(2)
    relay.answers.push(refusal('token_revoked'), refusal('host_removed'))
    const ship = shipper()
    expect(await ship.step()).toMatchObject({ kind: 'suspended', waitMs: 300_000 })
    expect(await ship.step()).toMatchObject({ kind: 'removed' })
    expect(spool.nextBatch()?.items).toHaveLength(2)
  })

  it('does not wait for the answer of a relay when it is cut short', async () => {
    fill(1)
    const silent = createServer(socket => socket.resume().on('error', () => undefined))
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    expect(await shipper([`http://127.0.0.1:${port}`]).step(AbortSignal.timeout(50))).toMatchObject({ kind: 'retry' })
    await new Promise(resolve => silent.close(resolve))
  })
})

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}
