import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SEED_HOST_METRICS, SEED_METRICS } from '../../shared/metrics.ts'
import { type Running, run, until } from '../support/process.ts'
import {
  freePort,
  prometheusQuery,
  promtoolCheckMetrics,
  type RealServer,
  readMetricsPage,
  startPrometheus,
  startPushgateway,
  startVictoriaMetrics,
  victoriaExport,
} from '../support/real-servers.ts'
import { ROOT } from '../support/stack.ts'

/** `npm start` as a stranger runs it, with the seed's variables at real servers. */

const BACKUP = 'Зарплата 3.1'
/** From "up" to "every metric that Linux has is in each store". */
const WITHIN_MS = 30_000
/** RDP sessions do not exist here; a virtual machine may have neither frequency. */
const MOST_OF_41 = 38

let folder: string
let prometheus: RealServer
let victoria: RealServer
let pushgateway: RealServer
let started: Running
let port: number

const env = () => ({
  RELAY_DATA: join(folder, 'data'),
  RELAY_PORT: String(port),
  GRAFANA_PROMETHEUS_URL: `${prometheus.url}/api/v1/write`,
  INFLUXDB_URL: victoria.url,
  INFLUXDB_TOKEN: 'not-checked-by-victoria-metrics',
  INFLUXDB_ORG: 'myorg',
  INFLUXDB_BUCKET: 'onec_metrics',
  PROMETHEUS_PUSHGATEWAY_URL: pushgateway.url,
})

const agent = (...args: string[]) =>
  run(process.execPath, [join(ROOT, 'dist/onec-agent.js'), '--state', join(folder, 'data.private', 'agent'), ...args])

const relay = (...args: string[]) =>
  run(process.execPath, [join(ROOT, 'dist/onec-relay.js'), ...args], {
    env: {
      ONEC_RELAY_URL: `http://127.0.0.1:${port}`,
      ONEC_RELAY_TOKEN_FILE: join(folder, 'data.private', 'operator.token'),
    },
  })

async function start(): Promise<Running> {
  const running = run('npm', ['start'], { cwd: ROOT, env: env() })
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
      reply => reply.ok,
      () => false,
    )
  if (!(await until(isUp, 60_000, 200))) throw new Error(`npm start did not come up:\n${running.output()}`)
  return running
}

/** `onec_…` names that each store holds, read back as that store names them. */
const held: Record<string, () => Promise<Set<string>>> = {
  Prometheus: async () =>
    new Set(
      (await prometheusQuery(prometheus.url, '{job="onec_backup_bot"}')).map(({ labels }) => labels.__name__ ?? ''),
    ),
  InfluxDB: async () =>
    new Set(
      (await victoriaExport(victoria.url, '{__name__=~"system_metrics_.+"}')).map(({ labels }) =>
        (labels.__name__ ?? '').replace('system_metrics_', 'onec_'),
      ),
    ),
  Pushgateway: async () =>
    new Set([...(await readMetricsPage(pushgateway.url)).matchAll(/^(onec_\w+)\{/gm)].map(([, name]) => name ?? '')),
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onec-start-'))
  ;[prometheus, victoria, pushgateway, port] = await Promise.all([
    startPrometheus(),
    startVictoriaMetrics(),
    startPushgateway(),
    freePort(),
  ])
  started = await start()
}, 120_000)

afterAll(async () => {
  await started?.end('SIGINT')
  await Promise.all([prometheus?.stop(), victoria?.stop(), pushgateway?.stop()])
  await rm(folder, { recursive: true, force: true })
}, 60_000)

describe('npm start', () => {
  test.each(Object.keys(held))(
    '%s holds what a Linux host can give',
    async store => {
      const missing = () => held[store]?.().then(names => SEED_HOST_METRICS.filter(name => !names.has(name)))
      await until(
        async () => ((await missing())?.length ?? 99) <= SEED_HOST_METRICS.length - MOST_OF_41,
        WITHIN_MS,
        500,
      )
      const absent = (await missing()) ?? []
      expect(absent, started.output()).toContain('onec_rdp_active_count')
      expect(SEED_HOST_METRICS.length - absent.length, `absent: ${absent}`).toBeGreaterThanOrEqual(MOST_OF_41)
    },
    WITHIN_MS + 10_000,
  )

  test('every store has its own labels', async () => {
    const { hostname } = await import('node:os').then(os => ({ hostname: os.hostname() }))
    const [inPrometheus] = await prometheusQuery(prometheus.url, 'onec_cpu_percent')
    expect(inPrometheus?.labels).toEqual({
      __name__: 'onec_cpu_percent',
      job: 'onec_backup_bot',
      instance: hostname,
      tenant: 'demo',
    })
    const [inVictoria] = await victoriaExport(victoria.url, 'system_metrics_cpu_percent')
    expect(inVictoria?.labels).toMatchObject({ host: hostname, tenant: 'demo' })
    const page = await readMetricsPage(pushgateway.url)
    expect(page).toContain(`onec_cpu_percent{instance="${hostname}",job="onec_backup_bot",tenant="demo"}`)
  })

  test('the Pushgateway holds types and help that promtool takes', async () => {
    const page = await readMetricsPage(pushgateway.url)
    const ours = page.split('\n').filter(line => / onec_|^onec_/.test(line))
    const { exitCode, output } = promtoolCheckMetrics(`${ours.join('\n')}\n`)
    const complaints = output.split('\n').filter(line => line !== '' && !/_total|counter metrics should/.test(line))
    expect([0, 3], output).toContain(exitCode)
    expect(complaints.filter(line => /error|parse|invalid/i.test(line))).toEqual([])
    expect(page).toContain('# TYPE onec_network_bytes_recv counter')
    expect(page).toContain('# TYPE onec_cpu_percent gauge')
  })

  test('a backup run gives the other four', async () => {
    const file = join(folder, 'зарплата.dt')
    const backup = agent(
      'backup',
      'run',
      '--name',
      BACKUP,
      '--file',
      file,
      '--',
      'sh',
      '-c',
      `sleep 0.2; printf 0123456789 > '${file}'`,
    )
    expect(await backup.ended, backup.output()).toBe(0)
    const names = SEED_METRICS.slice(41)
    for (const store of Object.keys(held)) {
      const all = await until(
        async () => {
          const found = await held[store]?.()
          return names.every(name => found?.has(name))
        },
        20_000,
        500,
      )
      expect(all, `${store}: ${started.output()}`).toBe(true)
    }
    const [size] = await prometheusQuery(prometheus.url, 'onec_backup_size_bytes')
    expect(size?.labels.backup).toBe(BACKUP)
    expect(size?.samples[0]?.value).toBe(10)
    const [status] = await prometheusQuery(prometheus.url, 'onec_backup_status')
    expect(status?.samples[0]?.value).toBe(1)
  }, 60_000)

  test('nothing was refused, and a second start goes on with the same state', async () => {
    expect(await started.end('SIGINT'), started.output()).toBe(0)
    started = await start()
    await until(async () => /Sent \d+ metrics to Prometheus/.test(started.output()), 30_000)
    const hosts = relay('host', 'list', 'demo', '--json')
    expect(await hosts.ended, hosts.output()).toBe(0)
    expect(JSON.parse(hosts.output()).hosts).toHaveLength(1)
    const letters = relay('dead-letter', 'list', 'demo', '--json')
    expect(await letters.ended, letters.output()).toBe(0)
    expect(JSON.parse(letters.output()).deadLetters).toEqual([])
  }, 120_000)
})
