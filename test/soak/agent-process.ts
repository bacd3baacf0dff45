import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AgentConfig, type StatePaths, statePaths } from '../../agent/config.ts'
import { MALLOC_ENVIRONMENT } from '../../agent/heap.ts'
import { bundleAgent } from '../../agent/package/bundle.ts'
import { writeSecret } from '../../agent/secret.ts'
import type { HostConfig } from '../../shared/host-config.ts'
import { killAtExit } from '../chaos/at-exit.ts'
import { until } from '../support/process.ts'

const START_WITHIN_MS = 20_000
const STOP_WITHIN_MS = 10_000
/** The fastest that a configuration can have. */
const INTERVAL_MS = 1_000
const LAST_WORDS = 3_000

export interface AgentProcess {
  readonly pid: number
  readonly paths: StatePaths
  /** Rejects when it ends by itself. */
  readonly early: Promise<never>
  /** Stops it as a service manager does; fails unless it ends well. */
  stop(): Promise<void>
  /** SIGKILL, and waits until it is gone; harmless once it is. */
  kill(): Promise<void>
}

export interface AgentOptions {
  readonly folder: string
  readonly route: string
  /** Whom the agent believes beside everyone, PEM. */
  readonly ca: string
  /** What the host's own configuration file says. */
  readonly host: HostConfig
  /** Real time between two snapshots. */
  readonly paceMs: number
  readonly spoolBytes: number
}

/** The agent, bundled as for its executable, enrolled by hand; resolves when it runs. */
export async function startAgent({ folder, route, ca, host, paceMs, spoolBytes }: AgentOptions): Promise<AgentProcess> {
  const bundle = path.join(folder, 'agent.js')
  await bundleAgent(fileURLToPath(new URL('agent.ts', import.meta.url)), bundle)
  const paths = statePaths(path.join(folder, 'state'))
  mkdirSync(paths.directory)
  const config: AgentConfig = { hostId: 'soak', routes: [route], machineId: 'machine of the soak', host }
  writeFileSync(paths.config, JSON.stringify(config))
  writeSecret(paths.token, 'ohr1.soak')

  const caFile = path.join(folder, 'ca.pem')
  writeFileSync(caFile, ca)
  const logFile = path.join(folder, 'agent.log')
  const log = openSync(logFile, 'w')
  const args = [bundle, paths.directory, String(INTERVAL_MS / paceMs), String(spoolBytes)]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', log, log],
    // As its unit has it.
    env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile, ...MALLOC_ENVIRONMENT },
  })
  killAtExit(child)
  const ended = new Promise<string>(resolve => child.once('exit', (code, signal) => resolve(String(signal ?? code))))
  const text = () => readFileSync(logFile, 'utf8')
  const failed = (how: string) => new Error(`the agent ended with ${how}:\n${text().slice(-LAST_WORDS)}`)
  const early = ended.then(how => Promise.reject(failed(how)))
  early.catch(() => {})
  const started = until(() => text().includes('Metrics worker started'), START_WITHIN_MS)
  if (!(await Promise.race([started, early]))) throw failed('nothing: it did not start')
  return {
    pid: child.pid ?? -1,
    paths,
    early,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.kill('SIGTERM')
      const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      const how = await ended
      clearTimeout(impatient)
      if (how !== '0') throw failed(how)
    },
  }
}
