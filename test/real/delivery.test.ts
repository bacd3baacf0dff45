import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TENANT } from '../relay/tenant/fixtures.ts'
import { type LossyProxy, startLossyProxy } from '../support/lossy-proxy.ts'
import { prometheusQuery, type RealServer, startPrometheus } from '../support/real-servers.ts'
import { timeSeries, writeOf } from '../support/remote-write-request.ts'
import { type SimulatedTenant, simulateTenant } from '../support/simulated-tenant.ts'

/**
 * What the relay keeps, leaves out and buries, against a Prometheus without an out-of-order window, which refuses a
 * whole request for one sample. Hours pass in seconds: the clock is the test's, the requests and the store are real.
 */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TEN_HOSTS = Array.from({ length: 10 }, (_, index) => `h${index}`)
const VALUE = 'onec_timestamp_unix'

let prometheus: RealServer
let proxy: LossyProxy
let startMs: number
let tenant: SimulatedTenant

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  prometheus = await startPrometheus()
  proxy = await startLossyProxy(prometheus.url)
  // The simulated hours end now, or Prometheus would not answer queries about them.
  startMs = Math.floor((Date.now() - 10 * HOUR) / MINUTE) * MINUTE
  tenant = await simulateTenant(startMs, TEN_HOSTS)
  await tenant.add({ name: 'Прометей', sink: 'remote-write', settings: { url: proxy.url } })
})

afterEach(async () => {
  await proxy?.stop()
  await prometheus?.stop()
  vi.restoreAllMocks()
})

const snapshot = (atMs: number) => ({ atMs, monoMs: 1, metrics: { [VALUE]: atMs / 1_000, onec_cpu_percent: 5 } })
const SAMPLES_PER_SNAPSHOT = 2
const post =
  (...hosts: readonly string[]) =>
  (atMs: number) => {
    for (const host of hosts) tenant.post(host, [snapshot(atMs)])
  }
const destination = () => tenant.destination('Прометей')
const letters = () => tenant.state.letters.list({}, 1_000)

/** Times of a host's samples in Prometheus, in its order. */
async function heldOf(host: string): Promise<number[]> {
  const found = await prometheusQuery(prometheus.url, `${VALUE}{instance="БУХ-${host}",tenant="${TENANT.name}"}[12h]`)
  return found.flatMap(({ samples }) => samples.map(({ atMs }) => atMs))
}

/** Somebody else's sample, straight into Prometheus. */
async function foreign(labels: Record<string, string>, atMs: number): Promise<void> {
  const { path, headers, body } = writeOf(timeSeries(labels, [atMs, 1]))
  const reply = await fetch(`${prometheus.url}${path}`, {
    method: 'POST',
    headers: headers as Record<string, string>,
    body: body as Uint8Array<ArrayBuffer>,
    signal: AbortSignal.timeout(10_000),
  })
  expect(reply.status).toBe(204)
}

const minutes = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => startMs + (from + index) * MINUTE)

test('one host’s poison batch in a request of ten hosts loses nothing of the other nine', async () => {
  await tenant.pass(2, post(...TEN_HOSTS))
  // Another writer had this series already: Prometheus refuses the next three minutes of h3, and all that is with it.
  const series = { __name__: VALUE, instance: 'БУХ-h3', job: 'onec_backup_bot', tenant: TENANT.name }
  await foreign(series, startMs + 5.5 * MINUTE)
  const before = proxy.through
  await tenant.pass(5, post(...TEN_HOSTS))
  expect(proxy.through - before).toBeGreaterThan(5)

  for (const host of TEN_HOSTS.filter(host => host !== 'h3')) expect(await heldOf(host), host).toEqual(minutes(1, 7))
  const foreignAtMs = startMs + 5.5 * MINUTE
  expect(await heldOf('h3')).toEqual([...minutes(1, 2), foreignAtMs, ...minutes(6, 7)])
  expect(letters().map(({ host, fromMs, toMs }) => ({ host, fromMs, toMs }))).toEqual(
    minutes(3, 5)
      .map(atMs => ({ host: 'БУХ-h3', fromMs: atMs, toMs: atMs }))
      .toReversed(),
  )
  expect(letters()[0]?.reason).toContain('out of order sample')
  expect(destination()).toMatchObject({ state: 'active', deadLetters: 3, droppedSamples: 0 })
}, 60_000)

test('a lost reply dead-letters nothing, and what came with it is stored once', async () => {
  await tenant.pass(2, post(...TEN_HOSTS))
  // Several snapshots of a host in one request: sent again, all but the last are out of order for Prometheus.
  proxy.fate = 'refused'
  await tenant.pass(3, post(...TEN_HOSTS))
  proxy.fate = 'through'
  proxy.next.push('through', 'reply lost')
  await tenant.pass(3, post(...TEN_HOSTS))
  expect(proxy.next).toEqual([])
  await tenant.pass(10, post(...TEN_HOSTS))
  for (const host of TEN_HOSTS) expect(await heldOf(host), host).toEqual(minutes(1, 18))
  expect(letters()).toEqual([])
  expect(destination()).toMatchObject({ state: 'active', backlogBatches: 0, deadLetters: 0, droppedSamples: 0 })
  expect(destination()?.unconfirmedBatches).toBeGreaterThan(0)
}, 60_000)

test('a 3 h outage of the destination loses nothing while nobody else writes there', async () => {
  await tenant.pass(30, post('h1', 'h2'))
  proxy.fate = 'refused'
  await tenant.pass(180, post('h1', 'h2'))
  expect(destination()).toMatchObject({ state: 'backing-off', reason: 'HTTP 503: out of order', backlogBatches: 360 })
  proxy.fate = 'through'
  await tenant.pass(30, post('h1', 'h2'))
  for (const host of ['h1', 'h2']) expect(await heldOf(host)).toEqual(minutes(1, 240))
  expect(destination()).toMatchObject({ state: 'active', droppedSamples: 0, deadLetters: 0, backlogBatches: 0 })
}, 120_000)

test('where somebody else wrote meanwhile, what it cannot take any more is counted, the rest stored', async () => {
  await tenant.pass(30, post('h1', 'h2'))
  proxy.fate = 'refused'
  await tenant.pass(180, post('h1', 'h2'))
  await foreign({ __name__: 'up', instance: 'somebody' }, tenant.clock.now)
  proxy.fate = 'through'
  await tenant.pass(30, post('h1', 'h2'))
  const held = await heldOf('h1')
  expect(held).toEqual(minutes(1, 240).filter(atMs => held.includes(atMs)))
  expect(held.slice(0, 30)).toEqual(minutes(1, 30))
  // The window is 55 minutes, and the destination came back within five.
  expect(held.length).toBeGreaterThanOrEqual(30 + 30 + 50)
  const left = tenant.deliveries.leftOutOf('h1')
  expect(left).toEqual([
    { destination: 'Прометей', ageSamples: (240 - held.length) * SAMPLES_PER_SNAPSHOT, orderSamples: 0 },
  ])
  expect(destination()).toMatchObject({ state: 'active', deadLetters: 0, backlogBatches: 0 })
  expect(destination()?.dropped.age).toBeGreaterThanOrEqual(2 * (240 - held.length) * SAMPLES_PER_SNAPSHOT)
  const events = tenant.state.store.events(100).filter(({ kind }) => kind === 'destination_too_old')
  expect(events.map(({ subject }) => subject)).toEqual(['Прометей'])
}, 120_000)

test('a host that was away for 3 h delivers what Prometheus takes, the rest is counted as its own', async () => {
  await tenant.pass(30, post('h2', 'h1'))
  await tenant.pass(180, post('h1'))
  // Ten snapshots a batch, oldest first, some batches a minute, beside its neighbour's live ones.
  const backlog = minutes(31, 211)
  await tenant.pass(30, atMs => {
    post('h1')(atMs)
    for (let batch = 0; batch < 4; batch += 1) {
      const part = backlog.splice(0, 10)
      if (part.length > 0) tenant.post('h2', part.map(snapshot))
    }
    if (backlog.length === 0) post('h2')(atMs)
  })
  expect(await heldOf('h1')).toEqual(minutes(1, 240))
  const held = await heldOf('h2')
  expect(held.toSorted((a, b) => a - b)).toEqual(held)
  expect(held.length).toBeGreaterThan(30 + 45 + 20)
  const posted = 30 + 181 + 26
  expect(tenant.deliveries.leftOutOf('h2')).toEqual([
    { destination: 'Прометей', ageSamples: (posted - held.length) * SAMPLES_PER_SNAPSHOT, orderSamples: 0 },
  ])
  expect(tenant.deliveries.leftOutOf('h1')).toEqual([])
  expect(destination()).toMatchObject({ state: 'active', deadLetters: 0, dropped: { budget: 0, order: 0 } })
}, 120_000)

test('the series of a removed host end at once', async () => {
  await tenant.pass(3, post('h1', 'h2'))
  const shown = async () =>
    (await prometheusQuery(prometheus.url, VALUE, tenant.clock.now)).map(one => one.labels.instance)
  expect((await shown()).toSorted()).toEqual(['БУХ-h1', 'БУХ-h2'])
  const series = [...(tenant.state.series.get('h1') ?? [])]
  expect(series.map(({ name }) => name)).toEqual([VALUE, 'onec_cpu_percent'])
  tenant.state.outbox.append([{ kind: 'removal', atMs: tenant.clock.now, hostId: 'h1', series }])
  await tenant.pass(1, post('h2'))
  expect(await shown()).toEqual(['БУХ-h2'])
}, 60_000)
