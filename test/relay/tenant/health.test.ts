import { expect, test } from 'vitest'
import { deadlinesOf, evaluate, grantGrace, nextDeadline, stateAt } from '../../../relay/tenant/health.ts'
import { newHost } from '../../../relay/tenant/host-memory.ts'
import { NOW, seenHost, wireBatch } from './fixtures.ts'

const DUE = NOW + 60_000
const DAY = 86_400_000
const withInterval = (intervalMs: number) => seenHost({ agent: { ...wireBatch().agent, intervalMs } })

test('nothing is due of a host that never posted', () => {
  expect(deadlinesOf(newHost(NOW))).toBeUndefined()
  expect(stateAt(newHost(NOW), NOW + DAY)).toBe('pending')
  expect(nextDeadline(newHost(NOW))).toBeUndefined()
  expect(grantGrace(newHost(NOW), NOW + DAY)).toEqual(newHost(NOW))
})

test.each([
  [60_000, 90_000, 180_000],
  [1_000, 1_500, 90_000],
  [5_000, 7_500, 90_000],
  [3_600_000, 5_400_000, 10_800_000],
])('every %i ms: late %i ms after the granted post, down %i ms after it', (intervalMs, lateMs, downMs) => {
  const host = withInterval(intervalMs)
  expect(stateAt(host, DUE + lateMs - 1)).toBe('up')
  expect(stateAt(host, DUE + lateMs)).toBe('late')
  expect(stateAt(host, DUE + downMs - 1)).toBe('late')
  expect(stateAt(host, DUE + downMs)).toBe('down')
})

test('an agent that never said its interval has the default one', () => {
  expect(deadlinesOf(seenHost({ agent: null }))).toEqual({ lateAtMs: DUE + 90_000, downAtMs: DUE + 180_000 })
})

test('the way is pending, up, late, down, and up again with the next post', () => {
  let host = seenHost({ state: 'pending', stateSinceMs: 0 })
  const states: string[] = []
  for (const at of [NOW + 1, DUE, DUE + 90_000, DUE + 100_000, DUE + 180_000]) {
    const said = evaluate(host, at)
    if (said.changed) states.push(`${said.host.state} ${said.host.stateSinceMs - NOW}`)
    host = said.host
  }
  expect(states).toEqual(['up 1', 'late 150000', 'down 240000'])
  const back = evaluate({ ...host, dueAtMs: DUE + 240_000 }, DUE + 185_000)
  expect(back).toMatchObject({ changed: true, host: { state: 'up', stateSinceMs: DUE + 185_000 } })
})

test('a disabled host is nobody’s alert', () => {
  const host = seenHost({ state: 'disabled' })
  expect(evaluate(host, DUE + DAY)).toEqual({ host, changed: false })
  expect(nextDeadline(host)).toBeUndefined()
  expect(grantGrace(host, DUE + DAY)).toBe(host)
})

test('the next deadline is the next change there can be', () => {
  expect(nextDeadline(seenHost())).toBe(DUE + 90_000)
  expect(nextDeadline(seenHost({ state: 'late' }))).toBe(DUE + 180_000)
  expect(nextDeadline(seenHost({ state: 'down' }))).toBeUndefined()
})

test.each([
  [5_000, 120_000],
  [60_000, 120_000],
  [3_600_000, 3_600_000],
])('after the relay was away, a host that posts every %i ms has %i ms before its deadlines count', (every, graceMs) => {
  const now = DUE + DAY
  const host = grantGrace(withInterval(every), now)
  expect(host.dueAtMs).toBe(now + graceMs)
  expect(stateAt(host, now)).toBe('up')
  expect(stateAt(host, now + graceMs + 3 * 3_600_000)).toBe('down')
})

test('the grace makes no deadline earlier', () => {
  const ahead = seenHost({ dueAtMs: NOW + 80_000 })
  expect(grantGrace(ahead, NOW).dueAtMs).toBe(NOW + 120_000)
  const hourly = { ...withInterval(3_600_000), dueAtMs: NOW + 5_400_000 }
  expect(grantGrace(hourly, NOW)).toBe(hourly)
})

test.each([
  ['forward a day', DUE + DAY],
  ['back two hours', DUE - 7_200_000],
  ['nowhere', DUE],
])('the grace raises nobody who was silent before: clock %s', (_, now) => {
  const down = grantGrace(seenHost({ state: 'down' }), now)
  expect([stateAt(down, now), stateAt(down, now + DAY)]).toEqual(['down', 'down'])
  const late = grantGrace(seenHost({ state: 'late' }), now)
  expect([stateAt(late, now), stateAt(late, now + 89_999), stateAt(late, now + 90_000)]).toEqual([
    'late',
    'late',
    'down',
  ])
  expect(stateAt({ ...down, dueAtMs: now + 60_000 }, now)).toBe('up')
})

test('after the clock jumped back, a host is not up for as long as it jumped', () => {
  for (const back of [120_000, 7_200_000, DAY]) {
    const host = grantGrace(seenHost(), NOW - back)
    expect(host.dueAtMs).toBe(NOW - back + 120_000)
    expect(stateAt(host, NOW - back + 300_000)).toBe('down')
  }
})
