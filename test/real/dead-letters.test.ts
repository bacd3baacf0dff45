import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeadLetterDetail, DeadLettersReplayed, DeadLetterView } from '../../relay/tenant/rpc.ts'
import { until } from '../support/process.ts'
import { freePort, prometheusQuery, type RealServer, startPrometheus } from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** What a gateway in front of Prometheus refused is kept, looked at, and in Prometheus once the address is mended. */

const TENANT = 'ООО Ромашка'
const PASSWORD = 'canary-Пароль-5Rt8yUm2'
const METRIC = 'onec_timestamp_unix'

let stack: Stack
let gateway: StandIn
let prometheus: RealServer

beforeAll(async () => {
  prometheus = await startPrometheus({ outOfOrderWindow: '2h' })
  gateway = await startStandIn('remote-write')
  gateway.behave({ kind: 'status', status: 400, body: `not a tenant of mine: grafana / ${PASSWORD}` })
  stack = await openStack(await freePort())
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  const password = join(stack.folder, 'password')
  await writeFile(password, PASSWORD)
  const access = ['--user', 'grafana', '--password', `file:${password}`]
  await stack.relay('destination', 'add', TENANT, 'grafana', '--sink', 'remote-write', '--url', gateway.url, ...access)
  await stack.enrol('БУХ-1С', TENANT)
}, 60_000)

afterAll(async () => {
  await stack?.remove()
  await Promise.all([gateway?.stop(), prometheus?.stop()])
}, 30_000)

const listed = async () =>
  (await stack.json<{ deadLetters: DeadLetterView[] }>('dead-letter', 'list', TENANT)).deadLetters
const show = (id: number) => stack.json<DeadLetterDetail>('dead-letter', 'show', TENANT, String(id))
const shown = async () => Promise.all((await listed()).map(({ id }) => show(id)))
const held = async () => {
  const found = await prometheusQuery(prometheus.url, `${METRIC}{instance="БУХ-1С"}[1h]`)
  return found.flatMap(({ samples }) => samples.map(({ atMs }) => atMs))
}
/** Times of the host's snapshots in a letter. */
const timesIn = ({ batches }: DeadLetterDetail) =>
  batches.flatMap(({ snapshots }) => snapshots.filter(({ metrics }) => METRIC in metrics).map(({ atMs }) => atMs))

test('a refused batch is kept, shown, mended, replayed and stored; a dropped one is gone', async () => {
  const agent = stack.agent('БУХ-1С', 'run')
  // Beside them there are letters of what the relay says itself.
  const enough = async () => (await shown()).filter(letter => timesIn(letter).length > 0).length >= 3
  expect(await until(enough, 60_000, 500), stack.relayOutput()).toBe(true)
  expect(await agent.end()).toBe(0)
  await until(async () => (await stack.destinations(TENANT))[0]?.backlogBatches === 0, 20_000, 500)

  const letters = await shown()
  const snapshots = letters.filter(letter => timesIn(letter).length > 0)
  expect(snapshots.length).toBeGreaterThanOrEqual(3)
  for (const { reason } of letters) expect(reason).toContain('not a tenant of mine: grafana / [redacted]')
  expect(JSON.stringify(letters)).not.toContain(PASSWORD)

  const [dropped, ...kept] = snapshots
  if (!dropped) throw new Error('no letter')
  await stack.relay('dead-letter', 'drop', TENANT, String(dropped.id))
  await stack.relay('destination', 'edit', TENANT, 'grafana', '--url', prometheus.url)
  // A newer snapshot is there first: only Prometheus' window lets the older ones in.
  await stack.relay('dead-letter', 'replay', TENANT, String(kept[0]?.id))
  expect(await until(async () => (await held()).length > 0, 20_000, 250), stack.relayOutput()).toBe(true)
  // What the relay said of itself before the edit was refused too, also after the letters were counted.
  const left = await listed()
  expect(left.length).toBeGreaterThanOrEqual(letters.length - 2)
  const rest = await stack.json<DeadLettersReplayed>('dead-letter', 'replay', TENANT, '--all')
  expect(rest).toMatchObject({ replayed: left.length, left: [] })

  const wanted = kept.flatMap(timesIn).toSorted()
  await until(async () => (await held()).length >= wanted.length, 30_000, 500)
  expect((await held()).toSorted(), stack.relayOutput()).toEqual(wanted)
  expect(wanted).not.toContain(timesIn(dropped)[0])
  expect(await listed()).toEqual([])
}, 180_000)
