import { expect, test } from 'vitest'
import { encodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { batchesOf, RELAY_HOST, RELAY_JOB, replaysOf } from '../../../relay/tenant/decode.ts'
import { agentBatch, batchItem, NOW, relayItem, replayItem, snapshot, TENANT, wireBatch } from './fixtures.ts'

const NAMES = { tenant: TENANT, host: (id: string) => ({ id, name: `БУХ-${id}`, labels: {} }) }
const HOUR = 3_600_000

const batch = wireBatch({
  snapshots: [snapshot(NOW - 2_000), snapshot(NOW - 1_000, { metrics: { onec_timestamp_unix: 1_795_408_704 } })],
  entries: [{ atMs: NOW - 500, level: 'info', message: 'Готово' }],
})

const timesOf = (item: ReturnType<typeof batchItem>) =>
  batchesOf([item], NAMES).flatMap(({ snapshots, entries }) => [...snapshots, ...entries].map(({ atMs }) => atMs - NOW))

test('a batch’s times are by the relay’s clock, what it reads of the time is the host’s own', () => {
  expect(timesOf(batchItem({}, batch))).toEqual([-2_000, -1_000, -500])
  const behind = batchItem({ offsetMs: -2 * HOUR, receivedAtMs: NOW + 2 * HOUR }, batch)
  expect(timesOf(behind)).toEqual([-2_000, -1_000, -500].map(at => at + 2 * HOUR))
  const [opened] = batchesOf([batchItem({ offsetMs: 1_000 }, batch)], NAMES)
  expect(opened?.snapshots[1]).toMatchObject({ atMs: NOW - 2_000, metrics: { onec_timestamp_unix: 1_795_408_704 } })
})

test('a row of the release before, from a clock ahead, reaches no store in the future', () => {
  const ahead = wireBatch({
    snapshots: [snapshot(NOW + 2 * HOUR - 60_000), snapshot(NOW + 2 * HOUR)],
    entries: [{ atMs: NOW + 2 * HOUR, level: 'info', message: 'Готово' }],
  })
  expect(timesOf(batchItem({}, ahead))).toEqual([-60_000, 0, 0])
})

test('what the relay says has its own clock', () => {
  const [said] = batchesOf([relayItem(NOW + HOUR, 'h1', { onec_host_up: 1 })], NAMES)
  expect(said?.snapshots[0]?.atMs).toBe(NOW + HOUR)
})

const names = { tenant: TENANT, host: (id: string) => ({ id, name: `сегодня ${id}`, labels: { site: 'Москва' } }) }

test('a replay is given to its destination alone, marked, with what else it was', () => {
  const items = [batchItem(), replayItem('h1', [NOW - 9, NOW - 5]), replayItem('h2', [NOW], { destinationId: 'd2' })]
  expect(batchesOf(items, names)).toMatchObject([{ host: { id: 'h1' }, source: 'agent' }])
  expect(batchesOf(items, names)[0]).not.toHaveProperty('replayed')
  expect(replaysOf(items, names, 'd1')).toEqual([
    { ...agentBatch('h1', [NOW - 9, NOW - 5]), host: names.host('h1'), replayed: true },
  ])
  expect(replaysOf(items, names, 'd2')).toMatchObject([{ host: { id: 'h2' }, replayed: true }])
  expect(replaysOf(items, names, 'd3')).toEqual([])
})

test('a host is called as it is today, the relay as always', () => {
  const before = agentBatch('h1', [NOW], { host: { id: 'h1', name: 'прежде', labels: { bad: 'x' } } })
  const [own] = batchesOf([relayItem(NOW, null, { onec_dead_letters_total: 1 })], names)
  const body = encodeLetter(own ? [before, own] : [])
  const [host, relay] = replaysOf([replayItem('h1', [], { body })], names, 'd1')
  expect(host?.host).toEqual(names.host('h1'))
  expect(relay).toMatchObject({ host: RELAY_HOST, job: RELAY_JOB, source: 'relay', replayed: true })
})
