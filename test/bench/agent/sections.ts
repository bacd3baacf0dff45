import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createObserver } from '../../soak/observe.ts'
import { descendants, type Running } from '../../support/process.ts'
import { requireBinary } from '../../support/real-server-process.ts'
import { median } from '../process-stats.ts'
import { type Cost, everySecond, measureCost } from './measure.ts'
import { nodeExporter } from './node-exporter.ts'
import type { RunningPeer } from './peers.ts'
import type { Seat } from './seat.ts'
import { parseSpawns } from './spawns.ts'
import { zabbixAgent2 } from './zabbix-agent2.ts'

const STARTED = /(\S+) INFO +Metrics worker started/
const STARTED_WITHIN_MS = 20_000
const STARTS = 7
const TRACED_SNAPSHOTS = 30
const LOOK_EVERY_MS = 200

/** The agent and its peers at the same time, a snapshot and a scrape a second. */
export async function measureSideBySide(seat: Seat, rounds: number) {
  const stop = new AbortController()
  const peers = await Promise.all([nodeExporter.start(), zabbixAgent2.start()])
  const agent = seat.run()
  try {
    await agent.says(STARTED, STARTED_WITHIN_MS)
    const observe = createObserver(agent.pid, seat.paths)
    const costOf = (peer: RunningPeer): Promise<Cost> => {
      const asked = everySecond(peer.round, stop.signal)
      return Promise.race([measureCost(peer.pid, asked.done, rounds, stop.signal), asked.failed])
    }
    const [exporter, zabbix] = peers
    const [own, ofExporter, ofZabbix] = await Promise.all([
      Promise.race([measureCost(agent.pid, () => observe().snapshots, rounds, stop.signal), endOf(agent)]),
      costOf(exporter),
      costOf(zabbix),
    ])
    return { agent: own, nodeExporter: ofExporter, zabbixAgent2: ofZabbix }
  } finally {
    stop.abort()
    await Promise.all([agent.end(), ...peers.map(peer => peer.stop())])
  }
}

async function endOf(agent: Running): Promise<never> {
  const how = await agent.ended
  throw new Error(`the agent ended with ${how}:\n${agent.output()}`)
}

/** From the start of the process to the line that says that the first snapshot begins; median and all. */
export async function measureStarts(seat: Seat): Promise<{ medianMs: number; all: readonly number[] }> {
  const all: number[] = []
  for (let count = 0; count < STARTS; count += 1) {
    const startMs = performance.now()
    const agent = seat.run()
    // Polled, not awaited with `says`: that looks every 50 ms.
    while (!STARTED.test(agent.output())) {
      if (performance.now() - startMs > STARTED_WITHIN_MS) throw new Error(`it did not start:\n${agent.output()}`)
      await wait(1)
    }
    all.push(performance.now() - startMs)
    await agent.end()
  }
  return { medianMs: median(all), all }
}

export interface Spawns {
  readonly atStart: number
  readonly later: number
  readonly snapshots: number
}

/** Every process that it makes, as strace sees the system calls of all its threads: nothing is too short-lived for it. */
export async function countSpawns(seat: Seat): Promise<Spawns> {
  const folder = await mkdtemp(join(tmpdir(), 'onec-spawns-'))
  const file = join(folder, 'trace')
  const calls = '--trace=fork,vfork,clone,clone3,execve'
  const strace = seat.run([requireBinary('strace', 'strace'), '-f', '-ttt', '-o', file, calls])
  try {
    const [, startedAt = ''] = await strace.says(STARTED, STARTED_WITHIN_MS)
    const [pid = -1] = await descendants(strace.pid)
    const observe = createObserver(pid, seat.paths)
    const before = observe().snapshots
    while (observe().snapshots < before + TRACED_SNAPSHOTS) await wait(LOOK_EVERY_MS)
    const snapshots = observe().snapshots - before
    // strace itself, told to end, would let go of it.
    process.kill(pid, 'SIGTERM')
    await strace.ended
    const trace = await readFile(file, 'utf8')
    if (!trace.includes('execve(')) throw new Error(`strace saw nothing:\n${trace.slice(0, 1_000)}`)
    const spawns = parseSpawns(trace)
    const later = spawns.filter(({ atMs }) => atMs > Date.parse(startedAt)).length
    return { atStart: spawns.length - later, later, snapshots }
  } finally {
    await strace.end()
    await rm(folder, { recursive: true, force: true })
  }
}
