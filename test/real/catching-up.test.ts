import { afterEach, expect, test, vi } from 'vitest'
import type { DestinationInput } from '../../relay/tenant/rpc.ts'
import { TENANT } from '../relay/tenant/fixtures.ts'
import { type LossyProxy, startLossyProxy } from '../support/lossy-proxy.ts'
import {
  influxQuery,
  type RealServer,
  readMetricsPage,
  startInfluxdb,
  startPushgateway,
  startVictoriaMetrics,
  victoriaExport,
} from '../support/real-servers.ts'
import { simulateTenant } from '../support/simulated-tenant.ts'

/** After two simulated hours away, VictoriaMetrics and InfluxDB 1.6 have every snapshot, a Pushgateway the newest. */

const MINUTE = 60_000
const HOSTS = ['h1', 'h2']
const VALUE = 'onec_timestamp_unix'

const started: { stop(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map(one => one.stop()))
  vi.restoreAllMocks()
})

async function behindProxy(start: () => Promise<RealServer>): Promise<{ server: RealServer; proxy: LossyProxy }> {
  const server = await start()
  const proxy = await startLossyProxy(server.url)
  started.push(proxy, server)
  return { server, proxy }
}

test('what was missed is caught up with, in order, by each as it can', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const startMs = Math.floor(Date.now() / MINUTE) * MINUTE - 200 * MINUTE
  const victoria = await behindProxy(startVictoriaMetrics)
  const influx = await behindProxy(startInfluxdb)
  const gateway = await behindProxy(startPushgateway)
  const tenant = await simulateTenant(startMs, HOSTS)
  const destinations: DestinationInput[] = [
    { name: 'VictoriaMetrics', sink: 'remote-write', settings: { url: victoria.proxy.url, windowMinutes: 1_440 } },
    { name: 'InfluxDB', sink: 'influxdb', settings: { url: influx.proxy.url, api: 'v1', db: 'onec' } },
    { name: 'Шлюз', sink: 'pushgateway', settings: { url: gateway.proxy.url } },
  ]
  for (const input of destinations) await tenant.add(input)
  const post =
    (...hosts: readonly string[]) =>
    (atMs: number) => {
      for (const host of hosts) tenant.post(host, [{ atMs, monoMs: 1, metrics: { [VALUE]: atMs / 1_000 } }])
    }
  const minutes = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => startMs + (from + index) * MINUTE)

  await tenant.pass(10, post(...HOSTS))
  for (const { proxy } of [victoria, influx, gateway]) proxy.fate = 'refused'
  await tenant.pass(120, post(...HOSTS))
  for (const { proxy } of [victoria, influx, gateway]) proxy.fate = 'through'
  await tenant.pass(10, post(...HOSTS))
  // Then a host alone was away for half an hour more than an hour, and its backlog comes at once.
  await tenant.pass(40, post('h1'))
  tenant.post(
    'h2',
    minutes(141, 180).map(atMs => ({ atMs, monoMs: 1, metrics: { [VALUE]: atMs / 1_000 } })),
  )
  await tenant.pass(1, post(...HOSTS))

  for (const { name } of destinations)
    expect(tenant.destination(name), name).toMatchObject({
      state: 'active',
      backlogBatches: 0,
      droppedSamples: 0,
      deadLetters: 0,
    })
  for (const host of HOSTS) {
    const held = await victoriaExport(victoria.server.url, `${VALUE}{instance="БУХ-${host}",tenant="${TENANT.name}"}`)
    expect(
      held.flatMap(({ samples }) => samples.map(({ atMs }) => atMs)),
      host,
    ).toEqual(minutes(1, 181))
    const rows = await influxQuery(
      influx.server.url,
      `SELECT timestamp_unix FROM system_metrics WHERE host = 'БУХ-${host}'`,
    )
    expect(
      rows.flatMap(({ values }) => values.map(([, value]) => Number(value) * 1_000)),
      host,
    ).toEqual(minutes(1, 181))
  }
  const page = await readMetricsPage(gateway.server.url)
  const pushed = [...page.matchAll(/^onec_timestamp_unix\{.*instance="БУХ-(h\d)".*\} (\S+)$/gm)]
  expect(pushed.map(([, host, value]) => [host, Math.round(Number(value) * 1_000)]).toSorted()).toEqual(
    HOSTS.map(host => [host, startMs + 181 * MINUTE]),
  )
}, 120_000)
