import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeadLetterView, EventView } from '../../relay/tenant/rpc.ts'
import { type EnrolReply, enrolReply, type WireBatch } from '../../shared/wire.ts'
import { until } from '../support/process.ts'
import { freePort, prometheusQuery, type RealServer, startPrometheus } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'

/**
 * Prometheus without an out-of-order window takes nothing older than an hour before its newest sample of all: one host
 * with a clock ahead would make it refuse everybody else.
 */

const TENANT = 'ООО Ромашка'
const HOUR = 3_600_000
const ROUNDS = 8
const HOSTS = { СПЕШИТ: 2 * HOUR, ТОЧНО: 0, ОТСТАЁТ: -2 * HOUR } as const
type Name = keyof typeof HOSTS
const NAMES = Object.keys(HOSTS) as Name[]
/** Reading a clock here, posting, and reading one there. */
const TOLERANCE_MS = 2_000

let stack: Stack
let prometheus: RealServer
const tokens = new Map<string, string>()
/** True times of each host's snapshots. */
const taken: Record<string, number[]> = { СПЕШИТ: [], ТОЧНО: [], ОТСТАЁТ: [] }

beforeAll(async () => {
  prometheus = await startPrometheus()
  stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.relay('destination', 'add', TENANT, 'prometheus', '--sink', 'remote-write', '--url', prometheus.url)
  for (const name of NAMES) tokens.set(name, (await enrol(name)).token)
}, 60_000)

afterAll(async () => {
  await stack?.remove()
  await prometheus?.stop()
}, 30_000)

const newId = () => randomBytes(12).toString('base64url')
const spools = new Map<string, string>(NAMES.map(name => [name, newId()]))

async function send(path: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) {
  const reply = await fetch(`http://127.0.0.1:${stack.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: AbortSignal.timeout(10_000),
  })
  expect(reply.status, await reply.clone().text()).toBeLessThan(300)
  return reply.json()
}

async function enrol(name: string): Promise<EnrolReply> {
  const { code } = await stack.json<{ code: string }>('enrol', 'create', TENANT)
  const request = { code, hostname: name, os: 'Windows Server 2022', version: '0.1.0', machineId: `machine-${name}` }
  return enrolReply.parse(await send('/v1/enrol', {}, JSON.stringify(request)))
}

/** One post of a machine whose clock is off; nothing else about it is. */
async function post(name: Name, seq: number): Promise<void> {
  const trueMs = Date.now()
  const hostMs = trueMs + HOSTS[name]
  taken[name]?.push(trueMs)
  const batch: WireBatch = {
    v: 1,
    id: newId(),
    seq,
    sentAtMs: hostMs,
    agent: {
      version: '0.1.0',
      os: 'Windows Server 2022',
      hostname: name,
      intervalMs: 1_000,
      bootId: `boot of ${name}`,
    },
    snapshots: [{ atMs: hostMs, monoMs: seq * 1_000, metrics: { onec_timestamp_unix: hostMs / 1_000 } }],
    spool: { id: spools.get(name) ?? '', pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 },
  }
  const headers = { authorization: `Bearer ${tokens.get(name)}`, 'content-encoding': 'gzip' }
  expect(await send('/v1/batches', headers, new Uint8Array(gzipSync(JSON.stringify(batch))))).toMatchObject({
    status: 'stored',
  })
}

/** All that it holds of a host, far future included. */
async function held(name: Name) {
  const selector = `onec_timestamp_unix{instance="${name}"}[12h]`
  const [series] = await prometheusQuery(prometheus.url, selector, Date.now() + 6 * HOUR)
  return series?.samples ?? []
}

test('a host two hours ahead, one two hours behind and a right one are all stored at the right times', async () => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const name of NAMES) await post(name, round)
    await wait(1_000)
  }
  const isAll = await until(async () => {
    const counts = await Promise.all(NAMES.map(async name => (await held(name)).length))
    return counts.every(count => count >= ROUNDS - 2) && (counts[0] ?? 0) + (counts[1] ?? 0) === 2 * ROUNDS
  }, 30_000)
  expect(isAll, stack.relayOutput()).toBe(true)

  for (const name of NAMES) {
    const samples = await held(name)
    const hostReading = samples.map(({ value }) => Math.round(value * 1_000))
    const trueMs = hostReading.map(ms => ms - HOSTS[name])
    // The clock behind waits for three posts: Prometheus refuses what came before those, as too old.
    const expected = name === 'ОТСТАЁТ' ? taken[name]?.slice(2) : taken[name]
    expect(trueMs, `${name}: each snapshot once`).toEqual(expected)
    samples.forEach(({ atMs }, index) => {
      expect(Math.abs(atMs - (trueMs[index] ?? 0)), name).toBeLessThan(TOLERANCE_MS)
    })
  }
}, 90_000)

test('nobody else lost anything, and the wrong clocks are shown', async () => {
  const { deadLetters } = await stack.json<{ deadLetters: DeadLetterView[] }>('dead-letter', 'list', TENANT)
  expect(deadLetters.filter(({ host }) => host !== 'ОТСТАЁТ')).toEqual([])
  const hosts = await stack.hosts(TENANT)
  const off = (name: Name) => hosts.find(host => host.name === name)?.clockOffsetMs ?? 0
  expect(off('ТОЧНО')).toBe(0)
  for (const name of NAMES) expect(Math.abs(off(name) - HOSTS[name])).toBeLessThan(TOLERANCE_MS)
  const { events } = await stack.json<{ events: EventView[] }>('event', 'list', TENANT)
  const said = events.filter(({ kind }) => kind === 'host_clock_corrected').map(({ subject }) => subject)
  expect(said.toSorted()).toEqual(['ОТСТАЁТ', 'СПЕШИТ'])
  expect(await stack.relay('host', 'show', TENANT, 'СПЕШИТ')).toMatch(/corrected by\s+7\d\d\d\.\d s; set the clock/)
})
