import { readFileSync, statfsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERSION } from '../../agent/version.ts'
import { SEED_HOST_METRICS } from '../../shared/metrics.ts'
import type { Snapshot } from '../../shared/wire.ts'
import { type Running, until } from '../support/process.ts'
import { ROOT } from '../support/stack.ts'
import { openRelay, TENANT, type TestRelay } from './relay.ts'
import { bootWindows, type Windows } from './windows.ts'

/** onec-agent.exe from a command line, beside what Linux says of the same machine. */

const HOST = 'БУХ-1С'
const EXE = join(ROOT, 'dist/agent/onec-agent.exe')

let windows: Windows
let relay: TestRelay

beforeAll(async () => {
  ;[windows, relay] = await Promise.all([bootWindows([EXE]), openRelay()])
}, 180_000)

afterAll(async () => {
  await windows?.remove()
  await relay?.close()
}, 60_000)

const agent = (...args: string[]): Running => windows.start(windows.agent, args, { METRICS_INTERVAL: '1' })

test('says its version', async () => {
  expect((await windows.do(windows.agent, 'version')).trim()).toBe(VERSION)
})

test('takes a snapshot that agrees with /proc', async () => {
  const before = readLinux()
  const { metrics, series = [] } = JSON.parse(await windows.do(windows.agent, 'once', '--json')) as Snapshot
  const after = readLinux()
  const absent = SEED_HOST_METRICS.filter(name => metrics[name] === undefined)
  expect(SEED_HOST_METRICS.length - absent.length, `absent: ${absent.join(' ')}`).toBeGreaterThanOrEqual(30)

  expect(metrics.onec_cpu_count_logical).toBe(cpus().length)
  expect(metrics.onec_cpu_count_physical).toBe(before.cores)
  const bounds = (name: string, low: number, high: number) => {
    expect(metrics[name], name).toBeGreaterThanOrEqual(low)
    expect(metrics[name], name).toBeLessThanOrEqual(high)
  }

  // Wine leaves a page out.
  bounds('onec_memory_total', before.memoryTotal - 8192, before.memoryTotal)
  bounds('onec_uptime_seconds', before.uptime - 3, after.uptime + 3)
  bounds('onec_network_bytes_recv', before.received, after.received)
  bounds('onec_network_bytes_sent', before.sent, after.sent)
  bounds('onec_cpu_percent', 0, 100)
  bounds('onec_memory_percent', 0, 100)
  expect(metrics.onec_disk_backup_disk_total).toBe(before.volume)
  expect(series.filter(({ name }) => name === 'onec_volume_total_bytes').map(({ value }) => value)).toContain(
    before.volume,
  )
}, 60_000)

test('enrols, and the token is sealed', async () => {
  const said = await windows.do(
    windows.agent,
    'enrol',
    '--relay',
    relay.url,
    '--code',
    await relay.code(),
    '--name',
    HOST,
  )
  expect(said).toMatch(/^Enrolled as /)
  const [host] = await relay.stack.hosts(TENANT)
  expect(host).toMatchObject({ name: HOST })
  expect(readFileSync(join(windows.drive, 'ProgramData/onec-agent/token'), 'latin1')).not.toContain('ohr1.')
}, 60_000)

test('survives kill -9: every snapshot that it took arrives, in order', async () => {
  const posts = () => relay.witness.posts.filter(({ status }) => status === 200).length
  const posted = (more: number) => {
    const wanted = posts() + more
    return until(() => posts() >= wanted, 60_000)
  }
  let running = agent('run')
  expect(await posted(5), running.output()).toBe(true)

  // What it takes while the relay is away is in its spool alone.
  relay.witness.answerInstead = { status: 502, type: 'text/html', body: 'Bad gateway' }
  const status = join(windows.drive, 'ProgramData/onec-agent/status.json')
  const spooled = () => JSON.parse(readFileSync(status, 'utf8')).lastSnapshotAtMs as number
  const from = spooled()
  expect(await until(() => spooled() >= from + 3_000, 30_000, 200), running.output()).toBe(true)
  const kept = spooled()
  for (const pid of windows.processes(/onec-agent\.exe.*run/)) process.kill(pid, 'SIGKILL')
  await running.ended
  relay.witness.answerInstead = undefined

  running = agent('run')
  expect(await posted(5), running.output()).toBe(true)
  for (const pid of windows.processes(/onec-agent\.exe.*run/)) process.kill(pid, 'SIGKILL')
  await running.ended

  const taken = relay.witness.posts.flatMap(({ batch, status }) => (status === 200 ? batch.snapshots : []))
  const times = [...new Set(taken.map(({ atMs }) => atMs))]
  expect(times).toEqual(times.toSorted((left, right) => left - right))
  expect(times, 'the last one before the kill').toContain(kept)
  expect(relay.witness.posts.at(-1)?.batch.spool.droppedSnapshots).toBe(0)
  await until(() => relay.delivered().length >= times.length, 20_000)
  expect(relay.delivered()).toEqual(times)
}, 180_000)

/** The same readings from Linux. */
function readLinux() {
  const proc = (name: string) => readFileSync(`/proc/${name}`, 'utf8')
  const network = proc('net/dev')
    .split('\n')
    .slice(2)
    .map(line => line.trim().split(/[:\s]+/))
    .filter(([name]) => name && name !== 'lo')
  const sum = (column: number) => network.reduce((total, fields) => total + Number(fields[column]), 0)
  const statistics = statfsSync(windows.desk.linux)
  return {
    memoryTotal: Number(/MemTotal:\s+(\d+)/.exec(proc('meminfo'))?.[1]) * 1024,
    uptime: Number(proc('uptime').split(' ')[0]),
    received: sum(1),
    sent: sum(9),
    volume: statistics.blocks * statistics.bsize,
    cores: physicalCores(proc('cpuinfo')),
  }
}

function physicalCores(cpuinfo: string): number {
  const places = cpuinfo.split('\n\n').map(block => {
    const [, socket] = /^physical id\s*: (\d+)/m.exec(block) ?? []
    const [, core] = /^core id\s*: (\d+)/m.exec(block) ?? []
    return socket === undefined ? undefined : `${socket}/${core}`
  })
  return new Set(places.filter(Boolean)).size
}
