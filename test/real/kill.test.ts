import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import { freePort, prometheusQuery, type RealServer, startPrometheus } from '../support/real-servers.ts'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** Kill -9 of the relay, then of the agent: nothing that was taken is lost, doubled out of order, or dead-lettered. */

const HOST = 'БУХ-1С'
const TENANT = 'ООО Ромашка'
const INTERVAL_MS = 1_000

let stack: Stack
let prometheus: RealServer
let counting: StandIn
let proxy: RecordingProxy

beforeAll(async () => {
  prometheus = await startPrometheus()
  counting = await startStandIn('remote-write')
  stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.relay('destination', 'add', TENANT, 'real', '--sink', 'remote-write', '--url', prometheus.url)
  await stack.relay('destination', 'add', TENANT, 'counting', '--sink', 'remote-write', '--url', counting.url)
  proxy = await startRecordingProxy(0, () => stack.port)
  await stack.enrol(HOST, TENANT, proxy.url)
}, 60_000)

afterAll(async () => {
  await stack?.remove()
  await Promise.all([proxy?.stop(), counting?.stop(), prometheus?.stop()])
}, 30_000)

const taken = () => proxy.snapshots().map(({ atMs }) => atMs)
const counted = () => {
  const series = [...counting.series().values()].find(({ name }) => name === 'onec_timestamp_unix')
  return series?.samples.map(({ atMs }) => atMs) ?? []
}
const inPrometheus = async () => {
  const [series] = await prometheusQuery(prometheus.url, 'onec_timestamp_unix[1h]')
  return series?.samples.map(({ atMs }) => atMs) ?? []
}

test('every snapshot arrives, in order, and only the kill of the agent leaves a gap', async () => {
  let agent: Running = stack.agent(HOST, 'run')
  const posted = (count: number) =>
    until(() => proxy.posts.filter(({ status }) => status === 200).length >= count, 30_000)
  await posted(6)

  await stack.killRelay()
  await wait(4_000)
  await stack.serve()
  const afterRelay = proxy.posts.length
  await posted(proxy.posts.filter(({ status }) => status === 200).length + 5)
  expect(proxy.posts.length, agent.output()).toBeGreaterThan(afterRelay)

  // A proxy's login page says 200 and is no acknowledgement.
  proxy.answerInstead = { status: 200, type: 'text/html', body: '<html><body>Please log in</body></html>' }
  await wait(3_000)
  proxy.answerInstead = undefined
  await posted(proxy.posts.filter(({ status }) => status === 200).length + 3)

  const beforeKill = Date.now()
  await agent.end('SIGKILL')
  await wait(3_000)
  agent = stack.agent(HOST, 'run')
  const afterKill = Date.now()
  await posted(proxy.posts.filter(({ status }) => status === 200).length + 5)
  expect(await agent.end('SIGTERM'), agent.output()).toBe(0)

  const all = taken()
  const arrived = await until(() => counted().length >= all.length, 20_000)
  expect(arrived, stack.relayOutput()).toBe(true)
  expect(counted()).toEqual(all)
  await until(async () => (await inPrometheus()).length >= all.length, 20_000, 500)
  expect(await inPrometheus()).toEqual(all)

  // What the proxy saw for the first time came in order, and so did what the double stored: it refuses anything else.
  const firstSeen = [...new Set(proxy.posts.flatMap(({ batch }) => batch.snapshots.map(({ atMs }) => atMs)))]
  expect(firstSeen).toEqual(all)
  expect(counting.defects()).toEqual([])

  const gaps = all.slice(1).flatMap((atMs, index) => {
    const from = all[index] ?? 0
    return atMs - from > 2.5 * INTERVAL_MS ? [{ from, to: atMs }] : []
  })
  expect(gaps.filter(({ from, to }) => to < beforeKill || from > afterKill)).toEqual([])
  expect(gaps.length).toBeLessThanOrEqual(1)

  for (const { name, deadLetters, droppedSamples } of await stack.destinations(TENANT))
    expect({ name, deadLetters, droppedSamples }).toEqual({ name, deadLetters: 0, droppedSamples: 0 })
  expect((await stack.json<{ deadLetters: unknown[] }>('dead-letter', 'list', TENANT)).deadLetters).toEqual([])
}, 120_000)
