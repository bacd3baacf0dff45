import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FakeRelay, refusal, startFakeRelay } from '../support/fake-relay.ts'

const AGENT = inject('agent')
let directory: string
let relay: FakeRelay
let children: ChildProcess[]
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-service-'))
  relay = await startFakeRelay()
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await relay.close()
  rmSync(directory, { recursive: true })
})

function start(...args: string[]) {
  const env = { PATH: process.env.PATH, METRICS_INTERVAL: '1', LANG: 'ru_RU.UTF-8' }
  const child = spawn(process.execPath, [AGENT, '--state', directory, ...args], { env })
  children.push(child)
  let output = ''
  child.stdout.on('data', data => (output += data))
  child.stderr.on('data', data => (output += data))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  return { child, ended, output: () => output }
}
const enrolHere = () => start('enrol', '--relay', relay.url, '--code', 'CODE-1234').ended

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

describe('the agent under systemd', () => {
  it('stands down without a failure where it is not enrolled', async () => {
    const { code, output } = await start('service', 'run').ended
    expect(code).toBe(0)
    expect(output).toContain('The service stops: This host is not enrolled')
  })

  it('runs until it is stopped, and stays stopped once it was removed at the relay', async () => {
    expect((await enrolHere()).output).toContain('\nСервер подключён. Дальше: onec-agent run')
    const agent = start('service', 'run')
    await until(() => relay.stored.size > 0)
    agent.child.kill('SIGTERM')
    const stopped = await agent.ended
    expect(stopped.code).toBe(0)
    expect(stopped.output).toContain('Metrics worker started (interval: 1s)')
    expect(stopped.output).toContain('Metrics worker stopped')
    relay.answers.push(refusal('host_removed'))
    const removed = await start('service', 'run').ended
    expect(removed).toMatchObject({ code: 0, output: expect.stringContaining('was removed at the relay') })
    expect(existsSync(path.join(directory, 'token'))).toBe(false)
    expect((await start('service', 'run').ended).code).toBe(0)
  })

  it('fails, to be started again, for what a person must put right meanwhile', async () => {
    await enrolHere()
    rmSync(path.join(directory, 'config.json'))
    const { code, output } = await start('service', 'run').ended
    expect(code).toBe(2)
    expect(output).toContain('Enrol this host again')
  })

  it('writes its lines into a file by hand too', async () => {
    await enrolHere()
    const agent = start('run', '--log-file')
    await until(() => relay.stored.size > 0)
    agent.child.kill('SIGTERM')
    expect((await agent.ended).output).toBe('')
    const lines = readFileSync(path.join(directory, 'logs', 'agent.log'), 'utf8')
    expect(lines).toContain('Metrics worker started (interval: 1s)\n')
    expect(lines).toMatch(/Metrics worker stopped\n$/)
  })
})
