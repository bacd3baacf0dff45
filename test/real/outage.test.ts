import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** One destination is down, one hangs for a minute: the others do not notice, and both get everything afterwards. */

const TENANT = 'ООО Ромашка'
const INTERVAL_S = 5
const HANGS_FOR_MS = 60_000

let stack: Stack
let agent: Running
const standIns: StandIn[] = []

beforeAll(async () => {
  stack = await openStack(await freePort(), INTERVAL_S)
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  for (const name of ['healthy', 'down', 'hanging']) {
    const standIn = await startStandIn('remote-write')
    standIns.push(standIn)
    await stack.relay('destination', 'add', TENANT, name, '--sink', 'remote-write', '--url', standIn.url)
  }
  await stack.enrol('БУХ-1С', TENANT)
  agent = stack.agent('БУХ-1С', 'run')
}, 60_000)

afterAll(async () => {
  await agent?.end()
  await stack?.remove()
  await Promise.all(standIns.map(standIn => standIn.stop()))
}, 30_000)

const times = (standIn: StandIn | undefined) => {
  const series = [...(standIn?.series().values() ?? [])].find(({ name }) => name === 'onec_timestamp_unix')
  return series?.samples.map(({ atMs }) => atMs) ?? []
}

test('the others lag at most two intervals, and nothing is lost or out of order', async () => {
  const [healthy, down, hanging] = standIns
  await until(() => times(hanging).length >= 1 && times(down).length >= 1, 30_000)
  down?.behave({ kind: 'status', status: 503, forMs: HANGS_FOR_MS })
  hanging?.behave({ kind: 'hang', forMs: HANGS_FOR_MS })

  let newest = 0
  const lagsMs: number[] = []
  const end = performance.now() + HANGS_FOR_MS
  await until(
    () => {
      const atMs = times(healthy).at(-1) ?? 0
      if (atMs > newest) lagsMs.push(Date.now() - atMs)
      newest = atMs
      return performance.now() >= end
    },
    HANGS_FOR_MS + 1_000,
    100,
  )
  // From the moment a snapshot was taken until it was stored.
  expect(Math.max(...lagsMs)).toBeLessThanOrEqual(2 * INTERVAL_S * 1_000)
  expect(lagsMs.length).toBeGreaterThanOrEqual(HANGS_FOR_MS / (2 * INTERVAL_S * 1_000))
  expect(times(hanging).length).toBeLessThan(times(healthy).length)
  const before = await stack.destinations(TENANT)
  expect(before.map(({ name, state }) => [name, state])).toEqual([
    ['healthy', 'active'],
    ['down', 'backing-off'],
    ['hanging', 'backing-off'],
  ])

  // Their own back-off may be as long as the outage was.
  const caughtUp = await until(
    async () => {
      const all = times(healthy)
      return times(down).length >= all.length - 1 && times(hanging).length >= all.length - 1
    },
    90_000,
    500,
  )
  expect(caughtUp, stack.relayOutput()).toBe(true)
  expect(await agent.end()).toBe(0)
  await until(
    () => times(down).length === times(healthy).length && times(hanging).length === times(healthy).length,
    20_000,
  )
  expect(times(down)).toEqual(times(healthy))
  expect(times(hanging)).toEqual(times(healthy))
  for (const standIn of standIns) expect(standIn.defects()).toEqual([])
  for (const { name, deadLetters, droppedSamples } of await stack.destinations(TENANT))
    expect({ name, deadLetters, droppedSamples }).toEqual({ name, deadLetters: 0, droppedSamples: 0 })
}, 240_000)
