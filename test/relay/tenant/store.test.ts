import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { migrate } from '../../../relay/tenant/schema.ts'
import { MAX_CHECKPOINT_ROW_BYTES, TenantStore } from '../../../relay/tenant/store.ts'
import { hostRecord, NOW } from './fixtures.ts'
import { migratedSql, nodeStorage } from './node-storage.ts'

const DESTINATION = {
  id: 'd1',
  name: 'Облако',
  sink: 'remote-write',
  settings: { url: 'https://metrics.example/' },
  sealed: { password: 'sf1.x.y' },
  budget: {},
  version: 1,
  createdAtMs: NOW,
}

test('the tables are made once, and a newer release’s are left as they are', () => {
  const { database, storage } = nodeStorage()
  migrate(storage)
  new TenantStore(storage.sql).putHost(hostRecord())
  migrate(storage)
  expect(new TenantStore(storage.sql).hosts()).toEqual([hostRecord()])
  database.exec(`UPDATE meta SET value = '99' WHERE key = 'schema'; ALTER TABLE events ADD COLUMN more TEXT`)
  migrate(storage)
  expect(new TenantStore(storage.sql).meta('schema')).toBe('99')
})

test('meta, hosts and destinations read back as they were, and are replaced by id', () => {
  const store = new TenantStore(migratedSql())
  store.setMeta('tenant', '{}')
  store.setMeta('tenant', '{"id":"romashka"}')
  expect([store.meta('tenant'), store.meta('other')]).toEqual(['{"id":"romashka"}', undefined])

  const host = hostRecord({ config: { intervalMs: 5_000, labels: { site: 'Москва' } }, removedAtMs: NOW })
  store.putHost(hostRecord())
  store.putHost(host)
  expect(store.hosts()).toEqual([host])

  store.putDestination({ ...DESTINATION, id: 'd2', createdAtMs: NOW + 1 })
  store.putDestination(DESTINATION)
  store.putDestination({ ...DESTINATION, version: 2 })
  expect(store.destinations().map(({ id, version }) => [id, version])).toEqual([
    ['d1', 2],
    ['d2', 1],
  ])
  store.deleteDestination('d1')
  expect(store.destinations()).toEqual([{ ...DESTINATION, id: 'd2', createdAtMs: NOW + 1 }])
})

test('a checkpoint takes one row, as many as it must when it is large, and fewer again', () => {
  const database = new DatabaseSync(':memory:')
  const store = new TenantStore(migratedSql(database))
  const rows = () => database.prepare('SELECT count(*) AS n, max(length(body)) AS most FROM checkpoint').get()
  expect(store.checkpoint()).toBeUndefined()

  const large = Uint8Array.from({ length: 2 * MAX_CHECKPOINT_ROW_BYTES + 7 }, (_, index) => index % 251)
  for (const [body, expected] of [
    [new Uint8Array([1, 2]), 1],
    [large, 3],
    [large.subarray(0, MAX_CHECKPOINT_ROW_BYTES), 1],
    [new Uint8Array(), 1],
  ] as const) {
    store.setCheckpoint(body)
    expect(Buffer.compare(store.checkpoint() ?? Buffer.from('none'), body)).toBe(0)
    expect(rows()).toMatchObject({ n: expected })
    expect(rows()?.most).toBeLessThanOrEqual(MAX_CHECKPOINT_ROW_BYTES)
  }
})

test('of events the newest 1,000 stay, newest first', () => {
  const store = new TenantStore(migratedSql())
  let dropped = 0
  for (let number = 1; number <= 1_003; number += 1)
    dropped += store.addEvent({ atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: `№ ${number}` })
  expect(dropped).toBe(3)
  expect(store.events(2)).toEqual([
    { atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: '№ 1003' },
    { atMs: NOW, kind: 'host_up', subject: 'БУХ-1С', message: '№ 1002' },
  ])
  expect(store.events(5_000)).toHaveLength(1_000)
})
