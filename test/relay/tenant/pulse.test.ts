import { expect, test, vi } from 'vitest'
import { newHost } from '../../../relay/tenant/host-memory.ts'
import { Pulse } from '../../../relay/tenant/pulse.ts'
import { windowEndMs } from '../../../relay/tenant/send-window.ts'
import { batchItem, NOW, seenHost, snapshot, TENANT, wireBatch } from './fixtures.ts'
import { setUpTenant } from './tenant-setup.ts'

const MINUTE = 60_000
const DAY = 86_400_000

/** Beats as the alarm rings, until `untilMs`. */
function live(tenant: ReturnType<typeof setUpTenant>, untilMs: number) {
  for (let at = tenant.alarms.at(-1); at !== undefined && at <= untilMs; at = tenant.alarms.at(-1)) {
    tenant.clock.now = Math.max(at, tenant.clock.now)
    tenant.pulse.beat(tenant.clock.now)
    if (tenant.alarms.at(-1) === at) return
  }
}

const statesOf = ({ state }: ReturnType<typeof setUpTenant>) =>
  state.store
    .events(100)
    .toReversed()
    .map(({ kind, atMs }) => `${kind} ${atMs - NOW}`)

test('rows wait for more before they are flushed, the first one starts the wait', () => {
  const { pulse, alarms } = setUpTenant()
  pulse.flushSoon(NOW)
  pulse.flushSoon(NOW + 500)
  expect(alarms).toEqual([NOW + 2_000])
  pulse.flushNow(NOW + 600)
  expect(alarms.at(-1)).toBe(NOW + 600)
})

test('with no host that ever posted nothing rings by itself', () => {
  const { pulse, alarms, state } = setUpTenant()
  state.memories.set('h1', newHost(NOW))
  pulse.beat(NOW + DAY)
  expect(alarms).toEqual([])
})

test('a host that falls silent is late, then down, each said once and at its deadline', () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost({ state: 'pending' }))
  tenant.pulse.beat(NOW)
  live(tenant, NOW + 10 * MINUTE)
  expect(statesOf(tenant)).toEqual(['host_up 0', `host_late ${2.5 * MINUTE}`, `host_down ${4 * MINUTE}`])
})

test('a host that posts on time stays up', async () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost())
  tenant.pulse.beat(NOW)
  for (let minute = 1; minute <= 5; minute += 1) {
    live(tenant, NOW + minute * MINUTE)
    const at = NOW + minute * MINUTE
    await tenant.state.append([batchItem({ receivedAtMs: at, dueAtMs: at + MINUTE })], at)
    tenant.pulse.flushSoon(at)
  }
  expect(statesOf(tenant)).toEqual([])
})

test('after the relay was away every host has its grace', () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost())
  tenant.pulse.beat(NOW + DAY)
  expect(statesOf(tenant)).toEqual([])
  live(tenant, NOW + DAY + 10 * MINUTE)
  expect(statesOf(tenant)).toEqual([`host_late ${DAY + 3.5 * MINUTE}`, `host_down ${DAY + 5 * MINUTE}`])
})

test('after the clock was set back a day, ticks go on and silence is still noticed', () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost())
  tenant.pulse.beat(NOW)
  tenant.clock.now = NOW - DAY
  tenant.pulse.flushSoon(NOW - DAY)
  live(tenant, NOW - DAY + 10 * MINUTE)
  const [late = '', down = ''] = statesOf(tenant)
  expect([late, down].map(one => one.split(' ')[0])).toEqual(['host_late', 'host_down'])
  expect(tenant.state.heartbeatMs).toBeGreaterThan(NOW - DAY + 8 * MINUTE)
  expect(tenant.state.heartbeatMs).toBeLessThanOrEqual(NOW - DAY + 10 * MINUTE)
})

test('a flush that was due before the clock was set back is not as far away as the jump', () => {
  const { pulse, alarms } = setUpTenant()
  pulse.flushSoon(NOW)
  pulse.flushSoon(NOW - DAY)
  expect(alarms.at(-1)).toBe(NOW - DAY + 2_000)
})

test('a tick writes what the relay says, for destinations to take', async () => {
  const tenant = setUpTenant()
  await tenant.desk.add({ name: 'Облако', sink: 'loki', settings: { url: 'http://127.0.0.1:9/' } }, 'd1', NOW)
  tenant.desk.suspend('d1', NOW)
  tenant.state.memories.set('h1', seenHost({ state: 'down', dueAtMs: NOW - DAY }))
  tenant.pulse.beat(NOW + 1.6 * MINUTE)
  const [row] = tenant.state.outbox.from(0)
  expect(row && tenant.state.outbox.read(row)).toMatchObject([
    { kind: 'relay', says: [{ hostId: 'h1', snapshot: { metrics: { onec_host_up: 0 } } }, { hostId: null }] },
  ])
})

test('rows wait for the tick that ends their window, so that one alarm and one flush serve both', () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost())
  const endMs = windowEndMs({ tenantId: TENANT.id, intervalMs: MINUTE, hosts: 1 }, NOW + MINUTE / 2 - 2_000)
  tenant.pulse.flushSoon(endMs - 30)
  expect(tenant.alarms).toEqual([endMs + 2_000])
  // Far from it they go out by themselves.
  tenant.pulse.flushNow(NOW)
  tenant.pulse.beat(NOW)
  tenant.pulse.flushSoon(endMs - 10_000)
  expect(tenant.alarms.at(-1)).toBe(endMs - 8_000)
})

test('an object that starts rings only for what it does not know to be armed', () => {
  const tenant = setUpTenant()
  tenant.state.memories.set('h1', seenHost())
  tenant.pulse.wake(NOW)
  const armed = tenant.alarms.length
  tenant.pulse.wake(NOW + 1)
  expect([armed, tenant.alarms.length]).toEqual([1, 1])
})

test('with rows that a destination has not got it rings at once', async () => {
  const tenant = setUpTenant()
  await tenant.desk.add({ name: 'Облако', sink: 'loki', settings: { url: 'http://127.0.0.1:9/' } }, 'd1', NOW)
  await tenant.state.append([batchItem()], NOW)
  tenant.pulse.wake(NOW)
  expect(tenant.alarms).toEqual([NOW])
})

test.each([50, 4_000])('ticks come once an interval, also with a linger of %i ms of five seconds', lingerMs => {
  const { state, deliveries, alarms } = setUpTenant()
  const pulse = new Pulse(state.storage, state, deliveries, { lingerMs, armedAtMs: null })
  const agent = { version: '1.0.0', os: '', hostname: 'SRV-1C', intervalMs: 5_000, bootId: 'boot-1' }
  state.memories.set('h1', seenHost({ agent, dueAtMs: NOW + DAY }))
  pulse.beat(NOW)
  const ticks = Array.from({ length: 4 }, () => {
    pulse.beat(alarms.shift() ?? 0)
    return state.heartbeatMs
  })
  expect(ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0))).toEqual([5_000, 5_000, 5_000])
})

test('what came while a pump ran is flushed once it ends, though its own flush rang meanwhile', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const asked: ((reply: Response) => void)[] = []
  vi.stubGlobal('fetch', () => new Promise<Response>(resolve => asked.push(resolve)))
  const tenant = setUpTenant()
  const { clock, desk, pulse, state } = tenant
  await desk.add({ name: 'Облако', sink: 'remote-write', settings: { url: 'http://127.0.0.1:9' } }, 'd1', NOW)
  const arrive = async (atMs: number) => {
    clock.now = atMs
    const batch = wireBatch({ sentAtMs: atMs, snapshots: [snapshot(atMs)] })
    await state.append([batchItem({ receivedAtMs: atMs, dueAtMs: atMs + MINUTE }, batch)], atMs)
    pulse.flushSoon(atMs)
  }
  await arrive(NOW)
  clock.now = NOW + 2_000
  pulse.beat(clock.now)
  await vi.waitFor(() => expect(asked).toHaveLength(1))
  await arrive(NOW + 3_000)
  clock.now = NOW + 5_000
  pulse.beat(clock.now)
  clock.now = NOW + 9_000
  const ended = tenant.pumpEnded()
  asked[0]?.(new Response(null, { status: 204 }))
  await ended
  expect(asked).toHaveLength(1)
  expect(tenant.alarms.at(-1)).toBe(NOW + 11_000)
  clock.now = NOW + 11_000
  pulse.beat(clock.now)
  await vi.waitFor(() => expect(asked).toHaveLength(2))
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})
