import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, inject, it } from 'vitest'
import type { Snapshot } from '../../shared/wire.ts'
import { type FakeRelay, startFakeRelay } from './support/fake-relay.ts'

const AGENT = inject('agent')
/** As many as may hang at once: the dispatcher, backups, log files, and every family that asks somebody. */
const HANGING = 13
let directory: string
let relay: FakeRelay
const children = new Set<ChildProcess>()

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-завис-'))
  relay = await startFakeRelay()
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await relay.close()
  rmSync(directory, { recursive: true })
})

function start(args: readonly string[], nodeArgs: readonly string[] = []) {
  const env = { PATH: process.env.PATH, METRICS_INTERVAL: '1' }
  const state = path.join(directory, 'state')
  const child = spawn(process.execPath, [...nodeArgs, AGENT, '--state', state, ...args], { env })
  children.add(child)
  let output = ''
  child.stdout.on('data', data => (output += data))
  return { child, ended: new Promise(resolve => child.on('close', resolve)), output: () => output }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

/** When it is signalled; opened for reading each waits for a writer, as a dead NAS is waited for. */
function hangWhenSignalled(): string {
  const fifos = Array.from({ length: HANGING }, (_, index) => path.join(directory, `nas${index}`))
  execFileSync('mkfifo', fifos)
  const hang = `for (const fifo of ${JSON.stringify(fifos)}) open(fifo, () => {}); console.log('they hang')`
  const script = `import { open } from 'node:fs'; process.on('SIGUSR2', () => { ${hang} })`
  return `data:text/javascript,${encodeURIComponent(script)}`
}

it('reads everything else and posts it while all that may hang does', async () => {
  // By name, which takes a thread to look up.
  const url = relay.url.replace('127.0.0.1', 'localhost')
  await start(['enrol', '--relay', url, '--code', 'CODE-1234']).ended
  const agent = start(['run'], ['--import', hangWhenSignalled()])
  await until(() => relay.posts.length > 0)
  agent.child.kill('SIGUSR2')
  await until(() => agent.output().includes('they hang'))
  const families = ['onec_memory_total', 'onec_processes_total_count', 'onec_disk_percent']
  const isWhole = ({ metrics }: Snapshot) => families.every(name => name in metrics)
  // The next two may have been on their way.
  const before = relay.posts.length + 2
  await until(() => relay.posts.slice(before).some(post => post.snapshots.some(isWhole)))
})
