import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readStatus } from '../../agent/status.ts'
import { until } from '../support/process.ts'
import { type Account, takeAccount } from './account.ts'
import { type AgentProcess, startAgent } from './agent-process.ts'
import { type FlappingRelay, startFlappingRelay } from './flapping-relay.ts'
import { createObserver, type Sighting } from './observe.ts'
import { openSurroundings } from './surroundings.ts'
import { ROUND } from './weather.ts'

const LOOK_EVERY_MS = 200
/** A busy machine may take three times as long as the pace has it. */
const PATIENCE = 3
const DRAIN_WITHIN_MS = 30_000

export interface SoakOptions {
  readonly snapshots: number
  /** Real time between two snapshots. */
  readonly paceMs: number
  readonly spoolBytes: number
}

export interface Soaked {
  readonly sightings: readonly Sighting[]
  readonly account: Account
  readonly posts: FlappingRelay['posts']
  readonly defects: readonly string[]
}

/** Runs the agent under a flapping relay until it has taken so many snapshots; fails when it ends before. */
export async function soak(options: SoakOptions, stop: AbortSignal): Promise<Soaked> {
  const folder = mkdtempSync(path.join(tmpdir(), 'onec-soak-'))
  const relay = await startFlappingRelay()
  const clear = new AbortController()
  const over = AbortSignal.any([clear.signal, stop])
  const surroundings = openSurroundings(folder)
  const around = Promise.all([changeWeather(relay, over), surroundings.live(over)]).then((): never[] => [])
  let agent: AgentProcess | undefined
  try {
    agent = await startAgent({ folder, route: relay.url, ca: relay.ca, host: surroundings.config, ...options })
    const sightings = await Promise.race([watch(agent, options, stop), agent.early, around])
    clear.abort()
    await around
    await drain(agent, relay)
    await agent.stop()
    const { posts, defects, confirmed } = relay
    return { sightings, account: takeAccount(agent.paths, confirmed), posts, defects }
  } finally {
    clear.abort()
    await agent?.kill()
    await relay.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function changeWeather(relay: FlappingRelay, stop: AbortSignal): Promise<void> {
  while (!stop.aborted)
    for (const { answer, forMs } of ROUND) {
      if (stop.aborted) break
      await relay.become(answer)
      await wait(forMs, undefined, { signal: stop }).catch(() => {})
    }
}

async function watch({ pid, paths }: AgentProcess, { snapshots, paceMs }: SoakOptions, stop: AbortSignal) {
  const observe = createObserver(pid, paths)
  const sightings: Sighting[] = []
  const deadlineMs = performance.now() + snapshots * paceMs * PATIENCE
  for (;;) {
    const sighting = observe()
    sightings.push(sighting)
    if (sighting.snapshots >= snapshots) return sightings
    if (performance.now() > deadlineMs) throw new Error(`only ${sighting.snapshots} snapshots in time`)
    await wait(LOOK_EVERY_MS, undefined, { signal: stop })
  }
}

/** Another release, so that what was put aside is tried again. */
async function drain({ paths }: AgentProcess, relay: FlappingRelay): Promise<void> {
  await relay.become('new-release')
  const isDrained = () => {
    const spool = readStatus(paths.status)?.spool
    return spool?.pendingBatches === 0 && spool.asideBatches === 0
  }
  if (!(await until(isDrained, DRAIN_WITHIN_MS)))
    throw new Error(`not drained: ${JSON.stringify(readStatus(paths.status))}`)
}
