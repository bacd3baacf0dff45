import { cp, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { EventView, HostView } from '../../../relay/tenant/rpc.ts'
import { idOf, TENANT, wireBatch } from './fixtures.ts'
import { addDestination, bundleWorker, enrolHost, newKeys, type Relay, startRelay } from './workerd.ts'

/** In workerd: a state that cannot be read is refused and left alone. */

const WITHIN = { timeout: 10_000, interval: 50 }

let script: string
let directory: string
let relay: Relay
let token: string
const keys = newKeys()

beforeAll(async () => {
  script = await bundleWorker()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'onec-recovery-'))
  relay = await startRelay(script, directory, keys)
  await relay.rpc('init', TENANT)
  token = (await enrolHost(relay, keys, 'БУХ-1С')).token
  await addDestination(relay, 'Облако', 'remote-write', 'http://127.0.0.1:9/')
  await relay.rpc('suspendDestination', 'Облако')
  expect(await relay.post(token, batch(1))).toMatchObject({ said: 'stored' })
  // After the tick that said so nothing is written by itself for a minute.
  const events = async () => (await relay.rpc<EventView[]>('events', 9)).map(({ kind }) => kind)
  await expect.poll(events, WITHIN).toContain('host_up')
})

afterEach(async () => {
  await relay.stop()
  await rm(directory, { recursive: true, force: true })
})

async function restart(before: () => Promise<unknown> = async () => {}) {
  await relay.stop()
  await before()
  relay = await startRelay(script, directory, keys)
}

const batch = (number: number) => wireBatch({ id: idOf(number), seq: number, sentAtMs: Date.now() })

async function expectRefusal() {
  const reply = await relay.fetch('/v1/batches', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: gzipSync(JSON.stringify(batch(2))),
  })
  expect(reply.status).toBe(503)
  expect(reply.headers.get('retry-after')).toBe('60')
  expect(await reply.json()).toMatchObject({
    code: 'state_unreadable',
    detail: expect.stringContaining('from a backup'),
  })
}

async function expectAllWell() {
  expect(await relay.post(token, batch(1))).toMatchObject({ status: 200, said: 'duplicate' })
  expect(await relay.post(token, batch(2))).toMatchObject({ status: 200, said: 'stored' })
  expect(await relay.rpc<HostView[]>('hosts')).toMatchObject([{ name: 'БУХ-1С', state: 'up' }])
  expect(await relay.destination('Облако')).toMatchObject({ state: 'suspended', backlogBatches: 2 })
}

const CONTENT = `SELECT (SELECT group_concat(hex(body)) FROM checkpoint) AS checkpoint,
  (SELECT group_concat(slot || ' ' || seq || ' ' || hex(body)) FROM outbox) AS outbox,
  (SELECT group_concat(key || value) FROM meta) AS meta, (SELECT count(*) FROM events) AS events`

test.each([
  [
    'a checkpoint with flipped bits',
    `UPDATE checkpoint SET body = unhex(replace(hex(body), hex('Windows'), hex('Wondows')))`,
  ],
  ['half a checkpoint', 'UPDATE checkpoint SET body = substr(body, 1, length(body) / 2)'],
  ['no checkpoint', 'DELETE FROM checkpoint'],
  ['a missing row', 'DELETE FROM outbox WHERE slot = 0'],
  ['another row in its slot', 'UPDATE outbox SET seq = seq + 100 WHERE slot = 0'],
])('%s: nothing is taken, and nothing written over it until it is put back', async (_, spoil) => {
  await relay.rpc('sql', 'CREATE TABLE kept_checkpoint AS SELECT * FROM checkpoint')
  await relay.rpc('sql', 'CREATE TABLE kept_outbox AS SELECT * FROM outbox')
  await relay.rpc('sql', spoil)
  const before = await relay.rpc('sql', CONTENT)
  await restart()
  await expectRefusal()
  for (const method of ['hosts', 'destinations', 'counts'])
    expect(await relay.rpc(method)).toMatchObject({ code: 'state_unreadable', status: 503 })
  expect(await relay.rpc('init', TENANT)).toMatchObject({ code: 'state_unreadable' })
  expect(await relay.rpc('sql', CONTENT)).toEqual(before)

  await relay.rpc('sql', 'INSERT OR REPLACE INTO checkpoint SELECT * FROM kept_checkpoint')
  await relay.rpc('sql', 'INSERT OR REPLACE INTO outbox SELECT * FROM kept_outbox')
  await restart()
  await expectAllWell()
})

test('a state that is gone is no unknown host: its agent keeps what it has', async () => {
  const isTenant = (path: string) => /TenantObject.*sqlite/.test(path)
  const files = async () => (await readdir(directory, { recursive: true })).filter(isTenant)
  const kept = `${directory}-kept`
  expect(await files()).not.toEqual([])
  await restart(async () => {
    await cp(directory, kept, { recursive: true })
    for (const file of await files()) await rm(join(directory, file))
  })
  await expectRefusal()
  await restart(async () => {
    await rm(directory, { recursive: true })
    await rename(kept, directory)
  })
  await expectAllWell()
})
