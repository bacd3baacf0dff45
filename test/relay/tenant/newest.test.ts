import { expect, test } from 'vitest'
import { batchesOf, RELAY_HOST } from '../../../relay/tenant/decode.ts'
import { type Newest, newestPart, noteNewest, takenAtMs } from '../../../relay/tenant/newest.ts'
import type { Item } from '../../../relay/tenant/row.ts'
import { batchItem, idOf, NOW, relayItem, snapshot, TENANT, wireBatch } from './fixtures.ts'

const MINUTE = 60_000
const NAMES = { tenant: TENANT, host: (id: string) => ({ id, name: `БУХ-${id}`, labels: {} }) }

/** A batch with one snapshot of that time, received at once. */
const taken = (atMs: number, hostId = 'h1') =>
  batchItem(
    { hostId, receivedAtMs: atMs },
    wireBatch({ id: idOf(atMs % 1e9), sentAtMs: atMs, snapshots: [snapshot(atMs)] }),
  )

const empty = (atMs: number) => batchItem({ receivedAtMs: atMs }, wireBatch({ sentAtMs: atMs, snapshots: [] }))

const note = (latest: Map<string, Newest>, ...items: readonly Item[]) =>
  noteNewest(latest, items, batchesOf(items, NAMES))

const timesIn = (known: Newest | undefined, now: number) =>
  newestPart(known, now).map(({ source, snapshots }) => [source, ...snapshots.map(({ atMs }) => atMs - NOW)])

test('the age of a snapshot does not depend on how the host’s clock is set', () => {
  const wrong = { sentAtMs: 5_000, newestAtMs: 2_000, receivedAtMs: NOW }
  expect(takenAtMs(batchItem(wrong))).toBe(NOW - 3_000)
  expect(takenAtMs(batchItem({ ...wrong, newestAtMs: 9_000 })), 'never in the future').toBe(NOW)
  expect(takenAtMs(batchItem({ newestAtMs: null }))).toBeUndefined()
})

test('the newest snapshot goes out with what the relay says of the host', () => {
  const latest = new Map<string, Newest>()
  expect(note(latest, taken(NOW), relayItem(NOW + 5, 'h1', { onec_host_up: 1 }))).toEqual(new Set(['h1']))
  note(latest, taken(NOW + MINUTE))
  expect(timesIn(latest.get('h1'), NOW + MINUTE)).toEqual([
    ['agent', MINUTE],
    ['relay', 5],
  ])
})

test('an older batch does not take the place of a newer one, whichever row it is in', () => {
  const latest = new Map<string, Newest>()
  note(latest, taken(NOW), taken(NOW - MINUTE))
  note(latest, taken(NOW - 2 * MINUTE))
  expect(timesIn(latest.get('h1'), NOW)).toEqual([['agent', 0]])
})

test('a batch of log entries alone takes no metrics away', () => {
  const latest = new Map<string, Newest>()
  note(latest, taken(NOW), empty(NOW + 1), taken(NOW, 'h2'))
  expect(timesIn(latest.get('h1'), NOW)).toEqual([['agent', 0]])
  expect(timesIn(latest.get('h2'), NOW)).toEqual([['agent', 0]])
  expect(note(latest, empty(NOW + 2))).toEqual(new Set())
})

test('nothing older than five minutes goes out, nor the relay’s word alone while the host is not down', () => {
  const latest = new Map<string, Newest>()
  note(latest, taken(NOW), relayItem(NOW, 'h1', { onec_host_up: 1 }))
  expect(timesIn(latest.get('h1'), NOW + 5 * MINUTE)).toHaveLength(2)
  expect(timesIn(latest.get('h1'), NOW + 5 * MINUTE + 1)).toEqual([])
  expect(newestPart(undefined, NOW)).toEqual([])
})

test('of a host that is down only the relay speaks', () => {
  const latest = new Map<string, Newest>()
  note(latest, taken(NOW), relayItem(NOW + 10 * MINUTE, 'h1', { onec_host_up: 0 }))
  expect(timesIn(latest.get('h1'), NOW + 10 * MINUTE)).toEqual([['relay', 10 * MINUTE]])
})

test('a removal goes alone', () => {
  const latest = new Map<string, Newest>()
  note(latest, taken(NOW), { kind: 'removal', atMs: NOW, hostId: 'h1' })
  expect(newestPart(latest.get('h1'), NOW)).toMatchObject([{ removed: true, host: { id: 'h1' } }])
})

test('what the relay says of itself needs no snapshot beside it', () => {
  const latest = new Map<string, Newest>()
  note(latest, relayItem(NOW, null, { onec_delivery_lag_seconds: 1 }))
  expect(timesIn(latest.get(RELAY_HOST.id), NOW)).toEqual([['relay', 0]])
})
