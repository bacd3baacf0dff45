import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Counters } from '../../../relay/tenant/counters.ts'
import type { EventView, HostDetail, HostView } from '../../../relay/tenant/rpc.ts'
import type { WireBatch } from '../../../shared/wire.ts'
import { type StandIn, startStandIn } from '../../support/stand-ins/stand-in.ts'
import { idOf, report, snapshot, TENANT, wireBatch } from './fixtures.ts'
import { addDestination, bundleWorker, enrolHost, newKeys, type Relay, startRelay } from './workerd.ts'

const WITHIN = { timeout: 10_000, interval: 50 }
const MISSING = 'onec_timestamp_unix'

let script: string
let directory: string
let relay: Relay
const standIns: StandIn[] = []
const keys = newKeys()

beforeAll(async () => {
  script = await bundleWorker()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'onec-tenant-'))
  relay = await startRelay(script, directory, keys)
  await relay.rpc('init', TENANT)
})

afterEach(async () => {
  await relay.stop()
  await Promise.all(standIns.splice(0).map(standIn => standIn.stop()))
  await rm(directory, { recursive: true, force: true })
})

async function standIn(...options: Parameters<typeof startStandIn>) {
  const started = await startStandIn(...options)
  standIns.push(started)
  return started
}

async function restart(before: () => Promise<unknown> = async () => {}) {
  await relay.stop()
  await before()
  relay = await startRelay(script, directory, keys)
}

/** Runs a statement in the one stored object that has a checkpoint. */
async function spoil(stored: string, statement: string) {
  const names = (await readdir(stored, { recursive: true })).filter(name => name.endsWith('.sqlite'))
  const changed = names.map(name => {
    const database = new DatabaseSync(join(stored, name))
    const isTenant = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'checkpoint'").get() !== undefined
    const changes = isTenant ? Number(database.prepare(statement).run().changes) : 0
    database.close()
    return changes
  })
  expect(changed.filter(changes => changes > 0)).toEqual([1])
}

/** Batch `number` of a host: one snapshot, a second after the one before. */
const startMs = Date.now() - 60_000
const batch = (number: number, more: Partial<WireBatch> = {}) =>
  wireBatch({
    id: idOf(number),
    seq: number,
    sentAtMs: Date.now(),
    snapshots: [snapshot(startMs + number * 1_000, { metrics: { [MISSING]: number } })],
    ...more,
  })

/** The values of one host's series in a stand-in, by time, and how often each was taken. */
const takenBy = (sink: StandIn, host: string) =>
  [...sink.series().values()]
    .filter(({ name, labels }) => name === MISSING && labels.instance === host)
    .flatMap(({ samples }) => samples.map(({ value, times }) => [value, times]))

const once = (...values: readonly number[]) => values.map(value => [value, 1])
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('a batch is stored, delivered with the names as they are, and seen on the host', async () => {
  const prometheus = await standIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
  const { hostId, token } = await enrolHost(relay, keys, 'БУХ-1С')
  expect(await relay.post(token, batch(1, { backups: [report({ completedAtMs: startMs })] }))).toEqual({
    status: 200,
    said: 'stored',
    id: idOf(1),
  })
  await expect.poll(() => takenBy(prometheus, 'БУХ-1С'), WITHIN).toEqual(once(1))
  const [series] = [...prometheus.series().values()].filter(({ name }) => name === MISSING)
  expect(series?.labels).toEqual({ instance: 'БУХ-1С', job: 'onec_backup_bot', tenant: 'ООО Ромашка' })
  expect(prometheus.defects()).toEqual([])

  const detail = await relay.rpc<{ value: HostDetail }>('host', 'БУХ-1С')
  expect(detail.value).toMatchObject({ id: hostId, state: 'up', backups: [{ name: 'Зарплата 3.1', status: 1 }] })
  await expect.poll(async () => (await relay.destination('Облако'))?.deliveredBatches, WITHIN).toBe(1)
})

test('an id that is known is a duplicate and is stored once, also after a restart', async () => {
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  await addDestination(relay, 'Облако', 'remote-write', 'http://127.0.0.1:9/')
  await relay.rpc('suspendDestination', 'Облако')
  const answers = await Promise.all([relay.post(token, batch(1)), relay.post(token, batch(1))])
  expect(answers.map(({ said }) => said).toSorted()).toEqual(['duplicate', 'stored'])
  expect(await relay.post(token, batch(1))).toMatchObject({ status: 200, said: 'duplicate', id: idOf(1) })
  await restart()
  expect(await relay.post(token, batch(1))).toMatchObject({ said: 'duplicate' })
  expect((await relay.destination('Облако'))?.backlogBatches).toBe(1)
  // The ids are a host's own.
  const other = await enrolHost(relay, keys, 'БУХ-2')
  expect(await relay.post(other.token, batch(1))).toMatchObject({ said: 'stored' })
})

test('posts that arrive together share rows', async () => {
  await addDestination(relay, 'Облако', 'remote-write', 'http://127.0.0.1:9/')
  await relay.rpc('suspendDestination', 'Облако')
  const hosts = await Promise.all(range(1, 12).map(number => enrolHost(relay, keys, `БУХ-${number}`)))
  const answers = await Promise.all(hosts.map(({ token }) => relay.post(token, batch(1))))
  expect(answers.every(({ said }) => said === 'stored')).toBe(true)
  const [found] = await relay.rpc<{ rows: number; batches: number }[]>(
    'sql',
    'SELECT count(*) AS rows, sum(batches) AS batches FROM outbox WHERE batches > 0',
  )
  expect(found?.batches).toBe(12)
  expect(found?.rows).toBeLessThan(12)
})

test('a restart in the middle of a backlog delivers everything, once and in order', async () => {
  const prometheus = await standIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
  const one = await enrolHost(relay, keys, 'БУХ-1С')
  const two = await enrolHost(relay, keys, 'БУХ-2')
  const post = async (number: number) => {
    expect(await relay.post(one.token, batch(number))).toMatchObject({ said: 'stored' })
    expect(await relay.post(two.token, batch(number))).toMatchObject({ said: 'stored' })
  }
  for (const number of range(1, 3)) await post(number)
  await expect.poll(() => takenBy(prometheus, 'БУХ-2'), WITHIN).toEqual(once(1, 2, 3))
  await expect.poll(async () => (await relay.destination('Облако'))?.deliveredBatches, WITHIN).toBe(6)

  prometheus.behave({ kind: 'status', status: 503 })
  for (const number of range(4, 9)) await post(number)
  await restart()
  for (const number of range(10, 12)) await post(number)
  await restart(async () => prometheus.behave({ kind: 'ok' }))
  for (const number of range(13, 14)) await post(number)

  await relay.rpc('resumeDestination', 'Облако')
  await expect.poll(() => takenBy(prometheus, 'БУХ-2'), WITHIN).toEqual(once(...range(1, 14)))
  expect(takenBy(prometheus, 'БУХ-1С')).toEqual(once(...range(1, 14)))
  await expect.poll(async () => (await relay.destination('Облако'))?.backlogBatches, WITHIN).toBe(0)
  expect(await relay.destination('Облако')).toMatchObject({ state: 'active', deadLetters: 0, droppedSamples: 0 })
})

test('what a restart finds undelivered goes out by itself', async () => {
  const prometheus = await standIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  prometheus.behave({ kind: 'status', status: 429, headers: { 'retry-after': '1' } })
  await relay.post(token, batch(1))
  await expect.poll(async () => (await relay.destination('Облако'))?.state, WITHIN).toBe('backing-off')
  await restart(async () => prometheus.behave({ kind: 'ok' }))
  expect(await relay.rpc<HostView[]>('hosts')).toMatchObject([{ name: 'БУХ-1С', state: 'up' }])
  await expect.poll(() => takenBy(prometheus, 'БУХ-1С'), WITHIN).toEqual(once(1))
})

test('a lost reply is no dead letter and no sample is lost', async () => {
  const prometheus = await standIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  prometheus.behave({ kind: 'drop-after-store', times: 1 })
  const snapshots = range(1, 3).map(number => snapshot(startMs + number * 1_000, { metrics: { [MISSING]: number } }))
  await relay.post(token, batch(1, { snapshots }))
  await expect.poll(async () => (await relay.destination('Облако'))?.backlogBatches, WITHIN).toBe(0)
  await relay.post(token, batch(9))
  await expect.poll(() => takenBy(prometheus, 'БУХ-1С').map(([value]) => value), WITHIN).toEqual([1, 2, 3, 9])
  const view = await relay.destination('Облако')
  expect(view).toMatchObject({ state: 'active', deadLetters: 0 })
  expect(view?.unconfirmedBatches).toBeGreaterThan(0)
})

test('a state that cannot be read takes nothing, says so, and is left as it is', async () => {
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  await relay.post(token, batch(1))
  // While the relay is stopped: an object that lives writes its next checkpoint over the spoiled one.
  await restart(async () => spoil(directory, 'UPDATE checkpoint SET body = substr(body, 1, length(body) - 7)'))
  const state = () =>
    relay.rpc('sql', 'SELECT (SELECT hex(body) FROM checkpoint) AS body, count(*) AS rows FROM outbox')
  const before = await state()
  expect(await relay.post(token, batch(2))).toMatchObject({ status: 503, said: 'state_unreadable' })
  for (const method of ['hosts', 'destinations'])
    expect(await relay.rpc(method)).toMatchObject({ code: 'state_unreadable', status: 503 })
  expect(await relay.rpc('init', TENANT)).toMatchObject({ code: 'state_unreadable' })
  expect(await state()).toEqual(before)
})

test('a removed host is told so, and forgotten by the Pushgateway', async () => {
  const gateway = await standIn('pushgateway')
  await addDestination(relay, 'Шлюз', 'pushgateway', gateway.url)
  const { hostId, token } = await enrolHost(relay, keys, 'БУХ-1С')
  await relay.post(token, batch(1))
  const requests = () => gateway.requests().map(({ method, status }) => `${method} ${status}`)
  await expect.poll(requests, WITHIN).toContain('PUT 200')
  expect(await relay.rpc('removeHost', 'БУХ-1С')).toEqual({ ok: true, value: { id: hostId, name: 'БУХ-1С' } })
  expect(await relay.post(token, batch(2))).toMatchObject({ status: 410, said: 'host_removed' })
  await expect.poll(() => requests().at(-1), WITHIN).toBe('DELETE 202')
  expect(gateway.defects()).toEqual([])

  await restart()
  expect(await relay.post(token, batch(2))).toMatchObject({ status: 410, said: 'host_removed' })
  expect(await relay.rpc('hosts')).toEqual([])
  const again = await enrolHost(relay, keys, 'БУХ-1С')
  expect(again.hostId).not.toBe(hostId)
  expect(await relay.post(again.token, batch(3))).toMatchObject({ said: 'stored' })
  await expect.poll(() => requests().at(-1), WITHIN).toBe('PUT 200')
})

test('the series of a removed host end, also after a restart, and nobody else’s do', async () => {
  const prometheus = await standIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
  const ours = await enrolHost(relay, keys, 'БУХ-1С')
  const other = await enrolHost(relay, keys, 'SRV-1C')
  const volume = { name: 'onec_volume_free_bytes', labels: { volume: 'D:' }, value: 1 }
  const full = batch(1, { snapshots: [snapshot(startMs, { series: [volume] })], backups: [report()] })
  await relay.post(ours.token, full)
  await relay.post(other.token, full)
  const lastOf = (host: string) =>
    Object.fromEntries(
      [...prometheus.series().values()]
        .filter(({ labels }) => labels.instance === host)
        .map(({ name, samples }) => [name, samples.at(-1)?.value]),
    )
  await expect.poll(() => lastOf('БУХ-1С').onec_backup_status, WITHIN).toBe(1)
  await expect.poll(() => lastOf('SRV-1C').onec_backup_status, WITHIN).toBe(1)
  await restart()
  await relay.rpc('removeHost', 'БУХ-1С')
  await expect.poll(() => lastOf('БУХ-1С').onec_cpu_percent, WITHIN).toBe('stale')
  const ended = lastOf('БУХ-1С')
  expect(Object.keys(ended)).toEqual(
    expect.arrayContaining(['onec_volume_free_bytes', 'onec_host_up', 'onec_backup_status']),
  )
  expect(new Set(Object.values(ended))).toEqual(new Set(['stale']))
  expect(Object.values(lastOf('SRV-1C'))).not.toContain('stale')
  expect(prometheus.defects()).toEqual([])
})

test('a destination that hangs delays neither the others nor ingest', async () => {
  const healthy = await standIn('remote-write')
  const hanging = await standIn('remote-write')
  hanging.behave({ kind: 'hang' })
  await addDestination(relay, 'Висит', 'remote-write', hanging.url)
  await addDestination(relay, 'Облако', 'remote-write', healthy.url)
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  for (const number of range(1, 5)) {
    expect(await relay.post(token, batch(number))).toMatchObject({ said: 'stored' })
    await expect
      .poll(() => takenBy(healthy, 'БУХ-1С'), { timeout: 4_000, interval: 20 })
      .toEqual(once(...range(1, number)))
  }
  expect(hanging.requests().length).toBe(1)
  expect(await relay.destination('Висит')).toMatchObject({ backlogBatches: 5, deliveredBatches: 0 })
})

test('a body that the schema refuses is refused in workerd too, and writes nothing', async () => {
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  const whole = gzipSync(JSON.stringify(batch(1)))
  expect(await relay.post(token, whole.subarray(0, -9))).toMatchObject({ status: 400, said: 'gzip_invalid' })
  expect(await relay.post(token, gzipSync('0'.repeat(30_000_000)))).toMatchObject({
    status: 413,
    said: 'inflated_too_large',
  })
  expect(await relay.post(token, Buffer.from('plain'))).toMatchObject({ status: 400, said: 'gzip_invalid' })
  expect(await relay.rpc('sql', 'SELECT * FROM outbox')).toEqual([])
})

test('an unknown host, a token that was replaced, and two that are valid together', async () => {
  const { hostId, token } = await enrolHost(relay, keys, 'БУХ-1С')
  const credential = { hostId, secretHash: 'b'.repeat(64) }
  expect(await relay.rpc('hostConfig', credential)).toMatchObject({ ok: false, code: 'token_revoked' })
  expect(await relay.rpc('hostConfig', { ...credential, hostId: 'h0' })).toMatchObject({ code: 'host_unknown' })
  await enrolHost(relay, keys, 'БУХ-1С')
  expect(await relay.post(token, batch(1))).toMatchObject({ said: 'stored' })
  await enrolHost(relay, keys, 'БУХ-1С')
  expect(await relay.post(token, batch(2))).toMatchObject({ status: 401, said: 'token_revoked' })
  const events = await relay.rpc<EventView[]>('events', 9)
  expect(events.map(({ kind }) => kind)).toContain('host_enrolled')
})

test('a tenant that was not set up enrols nobody: what it would write could not be found again', async () => {
  const machine = { machineId: 'machine-1', hostname: 'SRV-1C', name: 'БУХ-1С', os: '', secretHash: 'a'.repeat(64) }
  expect(await relay.rpcOf('drugoy', 'enrol', machine)).toMatchObject({ ok: false, code: 'unavailable' })
  await relay.rpcOf('drugoy', 'init', { id: 'drugoy', name: 'Другой' })
  expect(await relay.rpcOf('drugoy', 'enrol', machine)).toMatchObject({ ok: true })
})

test('workerd counts the rows that Node’s SQLite counts', async () => {
  await addDestination(relay, 'Облако', 'remote-write', 'http://127.0.0.1:9/')
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  const counted = async (change: () => Promise<unknown>) => {
    const before = (await relay.rpc<Counters>('counters')).rowsWritten
    await change()
    return (await relay.rpc<Counters>('counters')).rowsWritten - before
  }
  // Suspending: a checkpoint. Enrolling: the host, an event, a checkpoint. A configuration: the host.
  expect(await counted(() => relay.rpc('suspendDestination', 'Облако'))).toBe(1)
  expect(await counted(() => enrolHost(relay, keys, 'БУХ-2'))).toBe(3)
  expect(await counted(() => relay.rpc('setHostConfig', 'БУХ-2', {}))).toBe(1)
  // A row for the outbox; what it sets off may be there already.
  expect(await counted(() => relay.post(token, batch(1)))).toBeGreaterThan(0)
  expect((await relay.rpc<Counters>('counters')).acceptedBatches).toBe(1)
})
