import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FakeRelay, refusal, startFakeRelay } from './support/fake-relay.ts'

const AGENT = inject('agent')
let directory: string
let relay: FakeRelay
let children: ChildProcess[]

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-run-'))
  relay = await startFakeRelay()
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await relay.close()
  rmSync(directory, { recursive: true })
})

function start(...args: string[]) {
  const env = { PATH: process.env.PATH, METRICS_INTERVAL: '1', GRAFANA_LOKI_PASSWORD: 'glc_canary', LANG: 'C' }
  const child = spawn(process.execPath, [AGENT, '--state', directory, ...args], { env })
  children.push(child)
  let output = ''
  child.stdout.on('data', data => (output += data))
  child.stderr.on('data', data => (output += data))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  return { child, ended, output: () => output }
}
const enrolHere = () => start('enrol', '--relay', relay.url, '--code', 'CODE-1234', '--name', 'БУХ-1С').ended

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}
const storedTimes = () => [...relay.stored.values()].flatMap(batch => batch.snapshots.map(each => each.atMs))

describe('onec-agent', () => {
  it('enrols, runs, tells its status and ends cleanly', async () => {
    expect(await enrolHere()).toMatchObject({ code: 0, output: expect.stringContaining('Enrolled as h1') })
    expect(statSync(path.join(directory, 'token')).mode & 0o777).toBe(0o600)
    const agent = start('run')
    await until(() => relay.stored.size >= 2)
    const second = await start('run').ended
    expect(second).toMatchObject({ code: 2, output: expect.stringContaining('runs already') })
    const status = await start('status', '--json').ended
    expect(JSON.parse(status.output)).toMatchObject({ condition: 'running', agent: { hostId: 'h1', problem: null } })
    agent.child.kill('SIGTERM')
    const { code, output } = await agent.ended
    expect(code).toBe(0)
    expect(output).toContain('Metrics worker started (interval: 1s)')
    expect(output).toMatch(/Sent \d+ metrics to the relay/)
    expect(output).toContain('GRAFANA_LOKI_PASSWORD is ignored')
    for (const secret of ['glc_canary', 'ohr1.test.token']) expect(output).not.toContain(secret)
    const [first] = relay.posts
    expect(Object.keys(first?.snapshots[0]?.metrics ?? {}).length).toBeGreaterThanOrEqual(38)
    expect(first?.snapshots[0]?.metrics).toHaveProperty('onec_cpu_percent')
    expect((await start('status').ended).output).toContain('does not run')
  })

  it('watches the directory that the relay names, and accepts a smaller file when it is told to', async () => {
    const copies = path.join(directory, 'Копии')
    mkdirSync(copies)
    const backup = { name: 'Зарплата 3.1', directory: copies, pattern: '*.dt', pollMs: 1_000 }
    relay.config = { revision: 2, config: { backups: [backup] } }
    await enrolHere()
    const put = (name: string, bytes: number) => writeFileSync(path.join(copies, name), `1CIBDmpF3${'x'.repeat(bytes)}`)
    const told = () => [...relay.stored.values()].flatMap(batch => batch.backups ?? [])
    put('1.dt', 10_000)
    const agent = start('run')
    await until(() => told().some(({ state }) => state === 'ok'))
    expect(told()[0]).toMatchObject({ source: 'directory', sizeBytes: 10_009, reason: null })
    put('2.dt', 1_000)
    await until(() => told().some(({ state }) => state === 'failed'))
    expect(told().at(-1)?.reason).toContain('shrunken: ')
    expect(await start('backup', 'accept', '--name', backup.name).ended).toMatchObject({ code: 0 })
    await until(() => told().at(-1)?.state === 'ok')
    agent.child.kill('SIGTERM')
    expect(await agent.ended).toMatchObject({ code: 0 })
  }, 60_000)

  it('keeps passwords for shares, and shows none', async () => {
    writeFileSync(path.join(directory, 'password'), 'тайна\r\n')
    const share = ['--share', '\\\\nas\\backup']
    const source = `file:${path.join(directory, 'password')}`
    const set = await start('backup', 'credential', 'set', ...share, '--user', 'NAS\\b', '--password', source).ended
    expect(set).toMatchObject({ code: 0, output: expect.stringContaining('On Linux shares are mounted') })
    const list = await start('backup', 'credential', 'list').ended
    expect(list.output).toBe('share  \\\\nas\\backup  NAS\\b\n')
    expect((await start('backup', 'credential', 'remove', ...share).ended).code).toBe(0)
    expect(await start('backup', 'credential', 'remove', ...share).ended).toMatchObject({ code: 2 })
  })

  it('loses nothing and reorders nothing when it is killed again and again', async () => {
    await enrolHere()
    for (let round = 0; round < 3; round++) {
      const before = relay.stored.size
      if (round === 1) relay.answers.push(...Array(4).fill({ status: 502, body: '<html>' }))
      if (round === 2) relay.answers.push({ status: 0, hangUp: true, store: true })
      const agent = start('run')
      await until(
        () => relay.posts.length > 0 && (round === 1 ? relay.answers.length < 3 : relay.stored.size > before + 1),
      )
      agent.child.kill('SIGKILL')
      await agent.ended
    }
    relay.answers.length = 0
    const agent = start('run')
    const newest = () => relay.posts.at(-1)
    await until(() => newest()?.spool.pendingBatches === 0 && relay.stored.has(newest()?.id ?? ''))
    agent.child.kill('SIGTERM')
    await agent.ended
    const times = storedTimes()
    expect(times).toEqual([...new Set(times)].sort())
    const posted = new Set(relay.posts.flatMap(batch => batch.snapshots.map(each => each.atMs)))
    expect(new Set(times)).toEqual(posted)
    const seqs = [...relay.stored.values()].map(batch => batch.seq)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    expect(new Set(relay.posts.map(batch => batch.spool.id)).size).toBe(1)
    expect(relay.posts.every(batch => batch.spool.droppedSnapshots === 0)).toBe(true)
  })

  it('delivers a backup that ended while no agent ran', async () => {
    await enrolHere()
    const dump = path.join(directory, 'копия.dt')
    const backup = ['backup', 'run', '--name', 'Зарплата 3.1', '--file', dump, '--']
    const failed = await start(...backup, 'sh', '-c', 'echo вывод; exit 3').ended
    expect(failed).toEqual({ code: 3, output: 'вывод\n' })
    expect((await start(...backup, 'sh', '-c', `printf 12345 > '${dump}'`).ended).code).toBe(0)
    expect(
      (await start('backup', 'report', '--name', 'ут11', '--state', 'failed', '--reason', 'диск полон').ended).code,
    ).toBe(0)
    const agent = start('run')
    await until(() => relay.stored.size > 0)
    agent.child.kill('SIGTERM')
    await agent.ended
    const [batch] = relay.posts
    expect(batch?.backups?.map(each => [each.name, each.state, each.sizeBytes, each.reason])).toEqual([
      ['Зарплата 3.1', 'running', null, null],
      ['Зарплата 3.1', 'failed', null, 'exit code 3'],
      ['Зарплата 3.1', 'running', null, null],
      ['Зарплата 3.1', 'ok', 5, null],
      ['ут11', 'failed', null, 'диск полон'],
    ])
    expect(batch?.entries?.map(each => each.message)).toEqual(['Backup failed', 'Backup completed', 'Backup failed'])
  })

  it('takes the configuration of the relay, and keeps the last good one', async () => {
    await enrolHere()
    relay.config = { revision: 2, config: { intervalMs: 1_500 } }
    const agent = start('run')
    await until(() => agent.output().includes('Configuration 2 applies (interval: 1.5s)'))
    relay.config = { revision: 3, config: { intervalMs: 5 } }
    await until(() => agent.output().includes('configuration 3 cannot be used'))
    await until(() => relay.posts.at(-1)?.agent.intervalMs === 1_500)
    agent.child.kill('SIGTERM')
    await agent.ended
    expect(relay.requests.filter(request => request.path === '/v1/config')).toHaveLength(2)
    expect(JSON.parse(readFileSync(path.join(directory, 'relay-config.json'), 'utf8')).revision).toBe(2)
  })

  it('erases token and spool when it was removed, and stays away until it is enrolled again', async () => {
    await enrolHere()
    relay.answers.push(refusal('host_removed'))
    const { code, output } = await start('run').ended
    expect(code).toBe(0)
    expect(output).toContain('removed at the relay')
    expect([existsSync(path.join(directory, 'token')), existsSync(path.join(directory, 'spool'))]).toEqual([
      false,
      false,
    ])
    expect((await start('run').ended).code).toBe(2)
    expect((await start('status').ended).output).toContain('removed at the relay')
    await enrolHere()
    const agent = start('run')
    await until(() => relay.stored.size > 0)
    agent.child.kill('SIGTERM')
    expect((await agent.ended).code).toBe(0)
  })

  it('explains what a person can put right, without a stack trace', async () => {
    for (const [args, words] of [
      [['run'], 'not enrolled'],
      [['enrol', '--relay', 'http://relay.example', '--code', 'CODE-1234'], 'plain http'],
      [['enrol', '--relay', 'http://127.0.0.1:9', '--code', 'CODE-1234'], 'Could not reach the relay'],
      [['enrol', '--relay', relay.url, '--code', 'short'], 'cannot be enrolled'],
    ] as const) {
      const { code, output } = await start(...args).ended
      expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining(words) })
      expect(output).not.toMatch(/ at .*:\d+:\d+/)
    }
  })

  it('prints one snapshot', async () => {
    const { code, output } = await start('once', '--json').ended
    expect(code).toBe(0)
    expect(Object.keys(JSON.parse(output).metrics).length).toBeGreaterThanOrEqual(38)
    expect((await start('version').ended).output).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
