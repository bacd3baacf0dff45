import { expect, test } from 'vitest'
import { eventsOf } from '../../../relay/tenant/host-events.ts'
import {
  enrolledAgain,
  type HostMemory,
  MAX_BACKUPS,
  newHost,
  postTimes,
  REMEMBERED_IDS,
  remember,
  wayAfter,
} from '../../../relay/tenant/host-memory.ts'
import type { BatchItem } from '../../../relay/tenant/row.ts'
import { batchItem, idOf, NOW, report, wireBatch } from './fixtures.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

/** The host after these batches, a minute apart, and the events on the way. */
function after(batches: readonly Partial<BatchItem>[], before: HostMemory = newHost(NOW)) {
  let host = before
  const events = batches.flatMap((more, index) => {
    const receivedAtMs = NOW + index * MINUTE
    const batch = batchItem({ receivedAtMs, sentAtMs: receivedAtMs, newestAtMs: receivedAtMs, seq: index + 1, ...more })
    const earlier = host
    host = remember(host, batch)
    return eventsOf('БУХ-1С', earlier, host)
  })
  return { host, events, kinds: events.map(({ kind }) => kind) }
}

test('a new host is pending, and nothing else is known of it', () => {
  expect(newHost(NOW)).toMatchObject({ state: 'pending', stateSinceMs: NOW, lastSeenMs: null, dueAtMs: null, ids: [] })
})

test('a batch says when the host was seen, is due, how its clock goes and who it is', () => {
  const host = remember(newHost(0), batchItem({ sentAtMs: NOW + 90_000 }))
  const { agent, spool } = wireBatch()
  expect(host).toMatchObject({ lastSeenMs: NOW, dueAtMs: NOW + 60_000, clockSkewMs: 90_000, agent, spool })
  expect(host.state, 'health is not decided here').toBe('pending')
})

test('the ids of the last 16 batches are remembered, the oldest go', () => {
  let host = newHost(NOW)
  for (let number = 0; number < 20; number += 1) host = remember(host, batchItem({ id: idOf(number) }))
  expect(host.ids).toEqual(Array.from({ length: REMEMBERED_IDS }, (_, index) => idOf(index + 4)))
})

test('a batch without backups leaves them as they are', () => {
  const before = remember(newHost(NOW), batchItem({ backups: [report()] }))
  expect(remember(before, batchItem()).backups).toBe(before.backups)
})

test('a further backup pushes out the one heard of longest ago', () => {
  const named = (name: string) => report({ name })
  const all = Array.from({ length: MAX_BACKUPS }, (_, index) => named(`База ${index}`))
  let host = remember(newHost(NOW), batchItem({ backups: all }))
  host = remember(host, batchItem({ backups: [named('База 0')] }))
  host = remember(host, batchItem({ backups: [named('Новая')] }))
  expect(host.backups.size).toBe(MAX_BACKUPS)
  expect(host.backups.has('База 0')).toBe(true)
  expect(host.backups.has('База 1')).toBe(false)
  expect(host.backups.get('База 0')?.runs).toEqual({ ok: 1 })
})

test('an offset that three posts agree on is said, and said again when it is taken back', () => {
  const posts = (skewMs: number, count: number, from: number) =>
    Array.from({ length: count }, (_, index) => {
      const receivedAtMs = NOW + (from + index) * MINUTE
      return { receivedAtMs, sentAtMs: receivedAtMs + skewMs, newestAtMs: null }
    })
  const wrong = after(posts(-2 * HOUR, 4, 0))
  expect(wrong.events).toEqual([
    {
      atMs: NOW + 2 * MINUTE,
      kind: 'host_clock_corrected',
      subject: 'БУХ-1С',
      message: expect.stringMatching(/БУХ-1С is 7200 s behind: .* Set it: w32tm \/resync/),
    },
  ])
  expect(wrong.host.clock.offsetMs).toBe(-2 * HOUR)
  const right = after(posts(0, 4, 4), wrong.host)
  expect(right.events).toMatchObject([{ message: expect.stringContaining('is right again') }])
  expect(right.host.clock.offsetMs).toBe(0)
})

test('a backup’s times are corrected like everything else, and a run is counted once when an offset is set', () => {
  const completedAtMs = NOW - 2 * HOUR
  const said = batchItem({ backups: [report({ completedAtMs, dueAtMs: completedAtMs + 24 * HOUR })] })
  const before = remember(newHost(NOW), said)
  expect(before.backups.get('Зарплата 3.1')).toMatchObject({ completedAtMs, goodAtMs: completedAtMs })
  const again = remember(before, { ...said, offsetMs: -2 * HOUR })
  expect(again.backups.get('Зарплата 3.1')).toMatchObject({ runs: { ok: 1 }, dueAtMs: NOW + 24 * HOUR })
  const next = { ...said, receivedAtMs: NOW + HOUR, offsetMs: -2 * HOUR }
  const later = remember(again, { ...next, backups: [report({ completedAtMs: completedAtMs + HOUR })] })
  expect(later.backups.get('Зарплата 3.1')).toMatchObject({ runs: { ok: 2 }, goodAtMs: NOW + HOUR })
})

test('a run reported with a clock ten days ahead does not hide those after it', () => {
  const ahead = report({ completedAtMs: NOW + 240 * HOUR })
  const before = remember(newHost(NOW), batchItem({ backups: [ahead] }))
  expect(before.backups.get('Зарплата 3.1')).toMatchObject({ goodAtMs: NOW })
  const backups = [report({ completedAtMs: NOW + HOUR })]
  const { host } = after(
    [
      { receivedAtMs: NOW + HOUR, backups: [ahead] },
      { receivedAtMs: NOW + 2 * HOUR, backups },
    ],
    before,
  )
  expect(host.backups.get('Зарплата 3.1')).toMatchObject({ goodAtMs: NOW + HOUR, runs: { ok: 2 } })
})

test('what was sent late is no new data, nor is an old number under the same spool', () => {
  const { host } = after([{ seq: 20 }])
  const isNew = (more: Partial<BatchItem>) => postTimes(host, batchItem(more), NOW).isNew
  expect([isNew({ seq: 21 }), isNew({ seq: 20 }), isNew({ seq: 3 })]).toEqual([true, false, false])
  expect(isNew({ seq: 3, spool: { ...batchItem().spool, id: idOf(8) } }), 'a spool made anew').toBe(true)
})

test('a machine that counts again from an old number was reverted, said once an hour', () => {
  const seqs = (...list: readonly number[]) => list.map(seq => ({ seq }))
  const { kinds, events, host } = after(seqs(98, 99, 100, 50, 51, 52, 100, 60))
  expect(kinds).toEqual(['host_reverted'])
  expect(events[0]?.message).toMatch(/БУХ-1С counts its batches again from 50 \(it was at 100\)/)
  expect(host).toMatchObject({ seq: 60, revertedAtMs: NOW + 3 * MINUTE })
  expect(
    after([{ seq: 99 }, { seq: 50, receivedAtMs: NOW + 2 * HOUR, sentAtMs: NOW, newestAtMs: NOW }], host).kinds,
  ).toEqual(['host_reverted'])
})

test.each([
  ['a re-send', [{ seq: 100 }, { seq: 84 }, { seq: 101 }]],
  ['what was put aside long ago', [{ seq: 100 }, { seq: 5, newestAtMs: NOW - HOUR }, { seq: 101 }]],
  ['old entries', [{ seq: 100 }, { seq: 5, newestAtMs: null }, { seq: 101 }]],
  ['a spool made anew', [{ seq: 100 }, { seq: 1, spool: { ...batchItem().spool, id: idOf(8) } }]],
])('not reverted: %s', (_, batches) => {
  expect(after(batches).kinds).toEqual([])
})

test('a second machine under one token is said with both and what to do, and forgotten when it enrols again', () => {
  const spool = (number: number) => ({ spool: { ...batchItem().spool, id: idOf(number) } })
  const { host, events } = after([spool(1), spool(2), spool(1), spool(2), spool(1)])
  expect(events).toMatchObject([{ kind: 'host_cloned', atMs: NOW + 3 * MINUTE }])
  const message = events[0]?.message
  for (const part of [`spool ${idOf(1)} goes on`, `spool ${idOf(2)}`, 'onec-agent enrol', '--name NEW-NAME'])
    expect(message).toContain(part)
  expect(host.clones).toEqual([{ spoolId: idOf(2), bootId: null }])
  expect(enrolledAgain(host)).toMatchObject({ clones: [], origins: [] })
  const { host: single } = after([spool(1)])
  expect(enrolledAgain(single)).toBe(single)
})

test('a full copy is named by its boot', () => {
  const boot = (bootId: string) => ({ agent: { ...batchItem().agent, bootId } })
  const { events } = after([boot('boot-1000'), boot('boot-2000'), boot('boot-1000'), boot('boot-2000')])
  expect(events[0]?.message).toContain(`boot 1000 goes on, its copy (boot 2000 of spool ${idOf(7)})`)
})

test('the way of a host is learned from how late its posts are, and never overshoots', () => {
  let host = remember(newHost(NOW), batchItem({ receivedAtMs: NOW, dueAtMs: NOW + 60_000 }))
  expect(host.wayMs).toBe(0)
  for (let minute = 1; minute <= 10; minute += 1) {
    const placeMs = NOW + minute * 60_000
    // Sent as much earlier as the grant before said; 240 ms on its way.
    const receivedAtMs = placeMs - host.wayMs + 240
    expect(receivedAtMs).toBeGreaterThanOrEqual(placeMs)
    expect(wayAfter(host, receivedAtMs), 'what the grant subtracts').toBeGreaterThanOrEqual(host.wayMs)
    host = remember(host, batchItem({ receivedAtMs, dueAtMs: placeMs + 60_000 }))
  }
  expect(host.wayMs).toBeGreaterThanOrEqual(238)
})

test('a post after an outage, or long before its time, says nothing of the way', () => {
  const host = { ...newHost(NOW), dueAtMs: NOW, wayMs: 100 }
  for (const at of [NOW + 1_001, NOW - 1_001, NOW + 86_400_000]) expect(wayAfter(host, at)).toBe(100)
  expect(wayAfter(host, NOW - 600)).toBe(0)
})
