import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/process.ts'
import { ROOT } from '../support/stack.ts'
import { openRelay, TENANT, type TestRelay } from './relay.ts'
import { bootWindows, type Windows } from './windows.ts'

/** The Windows service, as `enrol --service` makes it and the service control manager runs it. */

const HOST = 'СЕРВЕР-1С'
const EXE = join(ROOT, 'dist/agent/onec-agent.exe')
const SERVICE = /onec-agent\.exe"? +service +run/

let windows: Windows
let relay: TestRelay

beforeAll(async () => {
  ;[windows, relay] = await Promise.all([bootWindows([EXE], { METRICS_INTERVAL: '1' }), openRelay()])
}, 180_000)

afterAll(async () => {
  await windows?.remove()
  await relay?.close()
}, 60_000)

const runs = () => windows.processes(SERVICE).length === 1
const ended = () => windows.processes(SERVICE).length === 0
const posts = () => relay.witness.posts.filter(({ status }) => status === 200).length
const posted = (more: number) => {
  const wanted = posts() + more
  return until(() => posts() >= wanted, 60_000)
}
const logged = () => readFileSync(join(windows.drive, 'ProgramData/onec-agent/logs/agent.log'), 'utf8')
const acknowledged = () =>
  relay.witness.posts.flatMap(({ batch, status }) => (status === 200 ? batch.snapshots.map(({ atMs }) => atMs) : []))
const lastTaken = () =>
  JSON.parse(readFileSync(join(windows.drive, 'ProgramData/onec-agent/status.json'), 'utf8')).lastSnapshotAtMs as number

test('one command enrols, installs and starts it', async () => {
  const code = await relay.code()
  await windows.do(windows.agent, 'enrol', '--service', '--relay', relay.url, '--code', code, '--name', HOST)
  expect(await until(runs, 30_000)).toBe(true)
  expect(await posted(3), logged()).toBe(true)
  const [host] = await relay.stack.hosts(TENANT)
  expect(host).toMatchObject({ name: HOST })
  expect(logged()).not.toContain(code)
}, 120_000)

test('runs from where only administrators write', () => {
  const [pid] = windows.processes(SERVICE)
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('C:\\Program Files\\onec-agent\\onec-agent.exe')
})

test('a stop loses nothing of what was taken', async () => {
  await windows.do('net', 'stop', 'onec-agent')
  expect(await until(ended, 30_000)).toBe(true)
  expect(logged()).toContain('Metrics worker stopped')
  // Delivered before the end, or else from the spool after the next start.
  const kept = lastTaken()
  await windows.do('net', 'start', 'onec-agent')
  expect(await until(() => acknowledged().includes(kept), 30_000), logged()).toBe(true)
}, 90_000)

test('a stop while the relay is away loses nothing', async () => {
  expect(await posted(2), logged()).toBe(true)
  relay.witness.answerInstead = { status: 502, type: 'text/html', body: 'Bad gateway' }
  const from = lastTaken()
  expect(await until(() => lastTaken() >= from + 2_000, 30_000, 200)).toBe(true)
  await windows.do('net', 'stop', 'onec-agent')
  expect(await until(ended, 60_000), logged()).toBe(true)
  const kept = lastTaken()
  relay.witness.answerInstead = undefined
  await windows.do('net', 'start', 'onec-agent')
  expect(await until(() => acknowledged().includes(kept), 60_000), logged()).toBe(true)
}, 180_000)

test('survives kill -9, and the manager may start it again', async () => {
  expect(await posted(2), logged()).toBe(true)
  for (const pid of windows.processes(SERVICE)) process.kill(pid, 'SIGKILL')
  expect(await until(ended, 10_000)).toBe(true)
  const kept = lastTaken()
  await until(async () => (await windows.start('net', ['start', 'onec-agent']).ended) === 0, 60_000, 1_000)
  expect(await until(() => acknowledged().includes(kept), 60_000), logged()).toBe(true)
  expect(await posted(1), logged()).toBe(true)
  await until(() => relay.delivered().length >= new Set(acknowledged()).size, 20_000)
  expect(new Set(relay.delivered())).toEqual(new Set(acknowledged()))
}, 180_000)

test('uninstall stops and removes it; what it knows stays', async () => {
  await windows.do(windows.agent, 'service', 'uninstall')
  expect(await until(ended, 30_000)).toBe(true)
  expect(await windows.do(windows.agent, 'service', 'status')).toContain('not installed')
  expect(readFileSync(join(windows.drive, 'ProgramData/onec-agent/config.json'), 'utf8')).toContain('hostId')
}, 60_000)
