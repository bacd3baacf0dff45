import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import {
  freePort,
  prometheusQuery,
  promtoolCheckMetrics,
  type RealServer,
  startPrometheus,
} from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** `GET /metrics` of the built relay, read by promtool and by a Prometheus that scrapes it. */

const TENANT = 'ООО Ромашка'
const HOST = 'БУХ-1С'

let stack: Stack
let prometheus: RealServer
let loki: StandIn
let agent: Running
let token: string

beforeAll(async () => {
  const port = await freePort()
  stack = await openStack(port)
  token = await readFile(join(stack.folder, 'data.private', 'operator.token'), 'utf8')
  ;[loki, prometheus] = await Promise.all([
    startStandIn('loki'),
    startPrometheus({ scrape: [{ target: `127.0.0.1:${port}`, bearerToken: token }] }),
  ])
  await stack.serve()
  await stack.relay('tenant', 'add', TENANT)
  await stack.relay('tenant', 'add', 'ИП "Иванов" \\ Ко')
  await stack.relay('destination', 'add', TENANT, 'Логи', '--sink', 'loki', '--url', loki.url)
  await stack.enrol(HOST, TENANT)
  agent = stack.agent(HOST, 'run')
}, 60_000)

afterAll(async () => {
  await agent?.end()
  await stack?.remove()
  await Promise.all([prometheus?.stop(), loki?.stop()])
}, 30_000)

const page = (authorization: Record<string, string>) =>
  fetch(`http://127.0.0.1:${stack.port}/metrics`, { headers: authorization, signal: AbortSignal.timeout(10_000) })

test('promtool takes the page, and without the token there is none', async () => {
  let text = ''
  const isThere = async () => {
    text = await (await page({ authorization: `Bearer ${token.trim()}` })).text()
    return /^onec_host_up\{.*\} 1$/m.test(text)
  }
  expect(await until(isThere, 20_000, 500), text).toBe(true)
  const { exitCode, output } = promtoolCheckMetrics(text)
  expect([0, 3], output).toContain(exitCode)
  const refused = await page({})
  expect(refused.status).toBe(401)
  expect(await refused.json()).toMatchObject({ code: 'token_missing' })
}, 30_000)

test('a Prometheus that scrapes it holds the series with the names as they are', async () => {
  const value = async (query: string) => {
    const [series] = await prometheusQuery(prometheus.url, query)
    return series && { labels: series.labels, value: series.samples[0]?.value }
  }
  expect(await until(async () => (await value('onec_host_up == 1')) !== undefined, 20_000, 500)).toBe(true)
  expect(await value('onec_host_up')).toMatchObject({
    labels: { instance: HOST, job: 'onec_backup_bot', tenant: TENANT },
    value: 1,
  })
  expect((await value('onec_ingest_batches_total > 0'))?.labels.tenant).toBe(TENANT)
  expect(await value('onec_delivery_backlog_batches')).toMatchObject({
    labels: { destination: 'Логи', instance: 'onec-relay', job: 'onec_relay', tenant: TENANT },
  })
  expect((await value(`onec_storage_rows_written_total{tenant="${TENANT}"}`))?.value).toBeGreaterThan(0)
  expect(await value(`onec_tenant_hosts{state="up",tenant="${TENANT}"}`)).toMatchObject({ value: 1 })
  const tenants = await prometheusQuery(prometheus.url, 'onec_tenant_scrape_success == 1')
  expect(tenants.map(({ labels }) => labels.tenant).toSorted()).toEqual(['ИП "Иванов" \\ Ко', TENANT])
}, 30_000)
