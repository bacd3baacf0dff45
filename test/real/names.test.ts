import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import {
  freePort,
  prometheusQuery,
  type RealServer,
  readMetricsPage,
  startPrometheus,
  startPushgateway,
  startVictoriaMetrics,
  victoriaExport,
} from '../support/real-servers.ts'
import { openStack, type Stack } from '../support/stack.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/** Names in any script come back exactly from all four sinks, and tenants with hosts of one name stay apart. */

const TENANTS = ['ООО Ромашка', 'ИП Иванов & Ко']
const HOSTS = ['БУХ-1С', 'SRV-1C']
const BACKUP = 'Зарплата 3.1'

let stack: Stack
let prometheus: RealServer
let pushgateway: RealServer
let victoria: RealServer
let loki: StandIn
const agents: Running[] = []

beforeAll(async () => {
  ;[prometheus, pushgateway, victoria, loki] = await Promise.all([
    startPrometheus(),
    startPushgateway(),
    startVictoriaMetrics(),
    startStandIn('loki'),
  ])
  stack = await openStack(await freePort())
  await stack.serve()
  for (const [index, tenant] of TENANTS.entries()) {
    await stack.relay('tenant', 'add', tenant)
    const add = (name: string, ...rest: string[]) => stack.relay('destination', 'add', tenant, name, '--sink', ...rest)
    await add('prometheus', 'remote-write', '--url', prometheus.url)
    await add('pushgateway', 'pushgateway', '--url', pushgateway.url)
    await add('influxdb', 'influxdb', '--url', victoria.url, '--set', 'measurement=onec')
    await add('loki', 'loki', '--url', loki.url)
    for (const host of HOSTS) {
      const state = `${index}-${host}`
      await stack.enrol(state, tenant, undefined, host)
      agents.push(stack.agent(state, 'run'))
      const report = stack.agent(state, 'backup', 'run', '--name', BACKUP, '--', 'true')
      expect(await report.ended, report.output()).toBe(0)
    }
  }
}, 90_000)

afterAll(async () => {
  await Promise.all(agents.map(agent => agent.end()))
  await stack?.remove()
  await Promise.all([prometheus?.stop(), pushgateway?.stop(), victoria?.stop(), loki?.stop()])
}, 30_000)

/** Every (tenant, host) pair, as each store should name them. */
const PAIRS = TENANTS.flatMap(tenant => HOSTS.map(host => `${tenant} / ${host} / ${BACKUP}`)).sort()

async function readBack(read: () => Promise<string[]>): Promise<string[]> {
  let found: string[] = []
  await until(
    async () => {
      found = [...new Set(await read())].sort()
      return found.length >= PAIRS.length
    },
    30_000,
    500,
  )
  return found
}

const pair = ({ tenant, instance, host, backup }: Readonly<Record<string, string>>) =>
  `${tenant} / ${instance ?? host} / ${backup}`

test('from Prometheus', async () => {
  const read = async () =>
    (await prometheusQuery(prometheus.url, 'onec_backup_status')).map(({ labels }) => pair(labels))
  expect(await readBack(read)).toEqual(PAIRS)
}, 40_000)

test('from the Pushgateway', async () => {
  const read = async () =>
    [...(await readMetricsPage(pushgateway.url)).matchAll(/^onec_backup_status\{(.*)\} 1$/gm)].map(([, labels = '']) =>
      pair(Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))),
    )
  expect(await readBack(read)).toEqual(PAIRS)
}, 40_000)

test('from VictoriaMetrics, by line protocol, under the names of the guide', async () => {
  const read = async () => (await victoriaExport(victoria.url, 'onec_backup_status')).map(({ labels }) => pair(labels))
  expect(await readBack(read)).toEqual(PAIRS)
}, 40_000)

test('from Loki', async () => {
  const read = async () =>
    [...loki.series().values()].flatMap(({ labels, samples }) =>
      samples.filter(({ fields }) => fields?.backup).map(({ fields }) => pair({ ...labels, ...fields })),
    )
  expect(await readBack(read)).toEqual(PAIRS)
  expect(loki.defects()).toEqual([])
}, 40_000)
