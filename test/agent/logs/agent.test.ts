import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FakeRelay, startFakeRelay } from '../support/fake-relay.ts'

const AGENT = inject('agent')
let directory: string
let relay: FakeRelay
const children = new Set<ChildProcess>()

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-агент-'))
  mkdirSync(path.join(directory, 'логи'))
  relay = await startFakeRelay()
  relay.config = { revision: 1, config: { logFiles: [{ path: log('бот.log*'), maxLinesPerMinute: 6_000 }] } }
  await start('enrol', '--relay', relay.url, '--code', 'CODE-1234', '--name', 'БУХ-1С').ended
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await relay.close()
  rmSync(directory, { recursive: true })
})

const log = (name: string) => path.join(directory, 'логи', name)

function start(...args: string[]) {
  const env = { PATH: process.env.PATH, METRICS_INTERVAL: '1' }
  const child = spawn(process.execPath, [AGENT, '--state', path.join(directory, 'state'), ...args], {
    env,
    stdio: 'ignore',
  })
  children.add(child)
  return { child, ended: once(child, 'close') }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

const numberOf = (message: string): number => Number(message.split(' ').at(-1))
const messages = () => [...relay.stored.values()].flatMap(batch => (batch.entries ?? []).map(entry => entry.message))

/** The first snapshot that says that all is well with the files. */
const reported = () =>
  relay.posts
    .flatMap(post => post.snapshots)
    .find(each => each.metrics.onec_log_files_with_problems === 0 && each.metrics.onec_log_entries_left_out_total === 0)

describe('onec-agent', () => {
  it('ships every line of a log once, though it is killed and the log rotates', async () => {
    let agent = start('run')
    await until(() => relay.stored.size > 0)
    let written = 0
    const write = () => appendFileSync(log('бот.log'), `2024-01-01 12:00:00,123 - INFO - строка ${written++}\n`)
    for (let round = 0; round < 4; round++) {
      const writing = setInterval(write, 7)
      // Not at a snapshot: at any moment of one.
      await new Promise(resolve => setTimeout(resolve, 900 + round * 111))
      if (round % 2 === 0) agent.child.kill('SIGKILL')
      else renameSync(log('бот.log'), log(`бот.log.${round}`))
      if (round % 2 === 0) {
        await agent.ended
        agent = start('run')
      }
      await new Promise(resolve => setTimeout(resolve, 400))
      clearInterval(writing)
    }
    const expected = Array.from({ length: written }, (_, index) => `2024-01-01 12:00:00,123 - INFO - строка ${index}`)
    await until(() => messages().length >= expected.length)
    await until(() => reported() !== undefined)
    agent.child.kill('SIGTERM')
    await agent.ended
    expect(messages().toSorted((a, b) => numberOf(a) - numberOf(b))).toEqual(expected)
    const [batch] = [...relay.stored.values()].filter(each => each.entries)
    expect(batch?.entries?.[0]).toMatchObject({
      level: 'info',
      fields: { file: expect.stringContaining(log('бот.log')) },
    })
    expect(relay.posts.every(post => post.spool.droppedSnapshots === 0)).toBe(true)
    expect(reported()).toBeDefined()
  }, 60_000)
})
