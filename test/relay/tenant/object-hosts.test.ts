import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { EventView, HostDetail, HostView } from '../../../relay/tenant/rpc.ts'
import type { WireBatch } from '../../../shared/wire.ts'
import { type StandIn, startStandIn } from '../../support/stand-ins/stand-in.ts'
import { idOf, report, snapshot, TENANT, wireBatch } from './fixtures.ts'
import { addDestination, bundleWorker, enrolHost, newKeys, type Relay, startRelay } from './workerd.ts'

/** Wrong clocks, copied and reverted machines, through the whole relay in workerd. */

const WITHIN = { timeout: 10_000, interval: 50 }
const SERIES = 'onec_timestamp_unix'
const HOUR = 3_600_000

let script: string
let directory: string
let relay: Relay
let prometheus: StandIn
const keys = newKeys()

beforeAll(async () => {
  script = await bundleWorker()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'onec-hosts-'))
  relay = await startRelay(script, directory, keys)
  await relay.rpc('init', TENANT)
  prometheus = await startStandIn('remote-write')
  await addDestination(relay, 'Облако', 'remote-write', prometheus.url)
})

afterEach(async () => {
  await relay.stop()
  await prometheus.stop()
  await rm(directory, { recursive: true, force: true })
})

async function restart() {
  await relay.stop()
  relay = await startRelay(script, directory, keys)
}

/** Batch `number`, with a snapshot taken just now by a clock that is `skewMs` off. */
function fresh(number: number, skewMs = 0, more: Partial<WireBatch> = {}): WireBatch {
  const nowMs = Date.now() + skewMs
  const snapshots = [snapshot(nowMs, { metrics: { [SERIES]: nowMs / 1_000 } })]
  return wireBatch({ id: idOf(number), seq: number, sentAtMs: nowMs, snapshots, ...more })
}

const spool = (number: number) => ({ spool: { ...wireBatch().spool, id: idOf(number) } })

const samplesOf = (host: string) =>
  [...prometheus.series().values()]
    .filter(({ name, labels }) => name === SERIES && labels.instance === host)
    .flatMap(({ samples }) => samples)

const kinds = async () => (await relay.rpc<EventView[]>('events', 50)).map(({ kind }) => kind)
const viewOf = async (name: string) => (await relay.rpc<HostView[]>('hosts')).find(host => host.name === name)
const settled = () => expect.poll(async () => (await relay.destination('Облако'))?.backlogBatches, WITHIN).toBe(0)

test('a clock ahead is corrected at once, and what it reads of the time stays its own', async () => {
  const { token } = await enrolHost(relay, keys, 'СПЕШИТ')
  const startMs = Date.now()
  for (const number of [1, 2, 3]) await relay.post(token, fresh(number, 2 * HOUR))
  await expect.poll(() => samplesOf('СПЕШИТ').length, WITHIN).toBe(3)
  for (const { atMs, value } of samplesOf('СПЕШИТ')) {
    expect(atMs).toBeGreaterThanOrEqual(startMs - 2_000)
    expect(atMs).toBeLessThanOrEqual(Date.now())
    expect(value).toBeGreaterThan((startMs + 2 * HOUR - 1) / 1_000)
  }
  const shown = (await viewOf('СПЕШИТ'))?.clockOffsetMs ?? 0
  expect(Math.abs(shown - 2 * HOUR)).toBeLessThan(5_000)
  await settled()
  expect(await kinds()).toContain('host_clock_corrected')
  await restart()
  expect((await viewOf('СПЕШИТ'))?.clockOffsetMs).toBe(shown)
  expect(prometheus.defects()).toEqual([])
})

test('a clock behind is corrected from the third post on, its backups too, and a run counts once', async () => {
  const { token } = await enrolHost(relay, keys, 'ОТСТАЁТ')
  const startMs = Date.now()
  const backups = [report({ completedAtMs: startMs - 2 * HOUR })]
  for (const number of [1, 2]) await relay.post(token, fresh(number, -2 * HOUR, { backups }))
  expect((await viewOf('ОТСТАЁТ'))?.clockOffsetMs).toBeNull()
  await restart()
  for (const number of [3, 4]) await relay.post(token, fresh(number, -2 * HOUR, { backups }))
  await expect.poll(() => samplesOf('ОТСТАЁТ').length, WITHIN).toBe(4)
  const lateMs = samplesOf('ОТСТАЁТ').map(({ atMs }) => startMs - atMs)
  expect(lateMs.map(ms => Math.round(ms / HOUR) + 0)).toEqual([2, 2, 0, 0])
  const { value } = await relay.rpc<{ value: HostDetail }>('host', 'ОТСТАЁТ')
  expect(value.backups).toMatchObject([{ runs: { ok: 1 } }])
})

test('a second machine under one token is kept out, across restarts, until it is a host of its own', async () => {
  const { hostId, token } = await enrolHost(relay, keys, 'БУХ-1С')
  const post = (number: number, spoolNumber: number) => relay.post(token, fresh(number, 0, spool(spoolNumber)))
  for (const [number, from] of [1, 2, 1].entries()) expect(await post(number, from)).toMatchObject({ said: 'stored' })
  await restart()
  expect(await post(10, 2), 'the one that shows it is stored').toMatchObject({ said: 'stored' })
  expect(await post(11, 2)).toMatchObject({ status: 403, said: 'host_cloned' })
  expect(await post(12, 1), 'the elder goes on').toMatchObject({ said: 'stored' })
  await restart()
  expect(await post(13, 2)).toMatchObject({ status: 403, said: 'host_cloned' })
  expect((await viewOf('БУХ-1С'))?.clones).toEqual([{ spoolId: idOf(2), bootId: null }])
  await settled()
  expect((await kinds()).filter(kind => kind === 'host_cloned')).toHaveLength(1)

  const copy = await enrolHost(relay, keys, 'КОПИЯ', 'БУХ-1С')
  expect(copy.hostId).not.toBe(hostId)
  expect(await relay.post(copy.token, fresh(14, 0, spool(2)))).toMatchObject({ said: 'stored' })
  expect(await post(15, 1)).toMatchObject({ said: 'stored' })
  expect(await post(16, 2), 'its old token is still kept out').toMatchObject({ said: 'host_cloned' })
  await expect.poll(() => samplesOf('КОПИЯ').length, WITHIN).toBe(1)
  expect(prometheus.defects()).toEqual([])
})

test('enrolling under the host’s own name lets that machine be the host, and voids every other token', async () => {
  const { hostId, token } = await enrolHost(relay, keys, 'БУХ-1С')
  for (const [number, from] of [1, 2, 1, 2].entries()) await relay.post(token, fresh(number, 0, spool(from)))
  expect(await relay.post(token, fresh(10, 0, spool(2)))).toMatchObject({ said: 'host_cloned' })
  const again = await enrolHost(relay, keys, 'БУХ-1С')
  expect(again.hostId).toBe(hostId)
  expect(await relay.post(again.token, fresh(11, 0, spool(2)))).toMatchObject({ said: 'stored' })
  expect(await relay.post(token, fresh(12, 0, spool(1)))).toMatchObject({ status: 401, said: 'token_revoked' })
  await restart()
  expect(await relay.post(again.token, fresh(13, 0, spool(2)))).toMatchObject({ said: 'stored' })
  expect((await viewOf('БУХ-1С'))?.clones).toEqual([])
})

test('a reverted machine is never refused, loses nothing new, and is said once', async () => {
  const { token } = await enrolHost(relay, keys, 'БУХ-1С')
  const sent = Array.from({ length: 40 }, (_, index) => fresh(index + 1, index - 60_000 + index * 1_000))
  for (const batch of sent) expect(await relay.post(token, batch)).toMatchObject({ said: 'stored' })
  await expect.poll(() => samplesOf('БУХ-1С').length, WITHIN).toBe(40)

  // Its spool is that of batch 20: that one again, then new ones under numbers that were used before.
  const resent = { ...(sent[19] as WireBatch), sentAtMs: Date.now() }
  expect(await relay.post(token, resent), 'its id is forgotten').toMatchObject({ said: 'stored' })
  expect(await relay.post(token, { ...(sent[38] as WireBatch) })).toMatchObject({ said: 'duplicate' })
  const boot = { agent: { ...wireBatch().agent, bootId: 'boot-2' } }
  for (const number of [21, 22, 23])
    expect(await relay.post(token, { ...fresh(number, 0, boot), id: idOf(number + 1_000) })).toMatchObject({
      said: 'stored',
    })
  await expect.poll(() => samplesOf('БУХ-1С').length, WITHIN).toBe(43)
  expect(samplesOf('БУХ-1С').every(({ times }) => times === 1)).toBe(true)
  await settled()
  expect(await relay.destination('Облако')).toMatchObject({ deadLetters: 0 })
  expect((await kinds()).filter(kind => kind === 'host_reverted')).toHaveLength(1)
  expect(prometheus.defects()).toEqual([])
})
