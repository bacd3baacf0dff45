import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SINK_KINDS } from '../../relay/sinks/index.ts'
import { descendants, type Running, run, until } from '../support/process.ts'
import { freePort } from '../support/real-servers.ts'

/** `start` with no variable set: all four sinks are stand-ins. The bundles are those that `npm run test:real` builds. */
const BIN = new URL('../../dist/onec-relay.js', import.meta.url).pathname
const NAMES = ['grafana-prometheus', 'pushgateway', 'influxdb', 'loki']
const UP_WITHIN_MS = 60_000

let folder: string
let port: number
let started: Running | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onec-start-'))
  port = await freePort()
})

afterAll(async () => {
  await started?.end('SIGINT')
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function start(): Promise<Running> {
  started = run(process.execPath, [BIN, 'start'], {
    cwd: folder,
    env: { RELAY_DATA: 'Данные', RELAY_PORT: String(port), METRICS_INTERVAL: '2' },
  })
  await started.says(/\d\/1 hosts up/, UP_WITHIN_MS)
  return started
}

async function stop(running: Running, signal: NodeJS.Signals): Promise<void> {
  const children = await descendants(running.pid)
  expect(await running.end(signal), running.output()).toBe(0)
  expect(children.length).toBeGreaterThan(1)
  for (const pid of children) expect(() => process.kill(pid, 0)).toThrow()
}

/** The URL and what happened to it, by destination, as the summary has them. */
function destinationsOf(running: Running): Record<string, [url: string, did: string]> {
  const lines = running.output().matchAll(/^ {2}(\S+) +(http:\S+) {3}\(.*; (\w+)\)$/gm)
  return Object.fromEntries([...lines].map(([, name, url = '', did = '']) => [name, [url, did]]))
}

const page = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text()

test('the first start enrols this machine and every stand-in shows what it took', async () => {
  const running = await start()
  const destinations = destinationsOf(running)
  expect(Object.keys(destinations)).toEqual(NAMES)
  const shown = NAMES.filter(name => name !== 'loki').map(name => destinations[name]?.[0] ?? '')
  for (const url of shown) {
    const holdsCpu = await until(async () => /cpu_percent/.test(await page(url)), 20_000, 300)
    expect(holdsCpu, `${await page(url)}\n${running.output()}`).toBe(true)
  }
  expect(running.output()).toContain('Metrics worker started (interval: 2s)')
  await running.says(/Sent \d+ metrics to Prometheus/, 10_000)
  await running.says(/grafana-prometheus \+[1-9]/, 10_000)
}, 120_000)

test('a killed agent and a killed relay come back by themselves', async () => {
  const running = started as Running
  for (const [name, argument] of [
    ['agent', 'onec-agent.js'],
    ['relay', 'workerd'],
  ] as const) {
    const pid = await childWith(running, argument)
    process.kill(pid, 'SIGKILL')
    await running.says(new RegExp(`The ${name} was ended by SIGKILL unasked[\\s\\S]*The ${name} runs again`), 30_000)
  }
  await stop(running, 'SIGINT')
}, 120_000)

test('a second start keeps the host, and turns a stand-in into what .env names now', async () => {
  await writeFile(join(folder, '.env'), 'PROMETHEUS_PUSHGATEWAY_URL=http://127.0.0.1:9/\n')
  const running = await start()
  expect(running.output()).not.toContain('Enrolled')
  expect(destinationsOf(running)).toMatchObject({
    pushgateway: ['http://127.0.0.1:9/', 'edited'],
    loki: [expect.any(String), 'edited'],
  })
  expect(await childWith(running, SINK_KINDS.filter(kind => kind !== 'pushgateway').join(','))).toBeGreaterThan(0)
  await stop(running, 'SIGTERM')
}, 120_000)

/** The child whose command line has that text. */
async function childWith(running: Running, text: string): Promise<number> {
  for (const pid of await descendants(running.pid)) {
    if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(text)) return pid
  }
  throw new Error(`no child with ${text}:\n${running.output()}`)
}
