import { expect, test } from 'vitest'
import { batchesOf } from '../../../relay/tenant/decode.ts'
import { batchItem, NOW, relayItem, snapshot, TENANT, wireBatch } from './fixtures.ts'

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
