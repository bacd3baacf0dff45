import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DestinationView, HostDetail, HostView } from '../../relay/tenant/rpc.ts'
import { descendants, type Running, run } from './process.ts'

/** The package's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const BIN = { agent: join(ROOT, 'dist/onec-agent.js'), relay: join(ROOT, 'dist/onec-relay.js') }
const UP_WITHIN_MS = 30_000

/**
 * The built relay under `workerd serve` with an operator's command line, and the built agent, each with its state in a
 * temporary folder: what a self-hoster runs.
 */
export interface Stack {
  readonly folder: string
  readonly port: number
  /** Runs an operator's command; fails unless it ends with 0. With `--json` its answer is parsed. */
  relay(...args: readonly string[]): Promise<string>
  json<T>(...args: readonly string[]): Promise<T>
  serve(): Promise<void>
  /** SIGKILL to the relay and to workerd, as a power cut has it. */
  killRelay(): Promise<void>
  stopRelay(): Promise<void>
  relayOutput(): string
  agent(name: string, ...args: readonly string[]): Running
  /** `name` names the state's folder, and the host unless `host` does. */
  enrol(name: string, tenant: string, relayUrl?: string, host?: string): Promise<void>
  destinations(tenant: string): Promise<readonly DestinationView[]>
  hosts(tenant: string): Promise<readonly HostView[]>
  host(tenant: string, host: string): Promise<HostDetail>
  remove(): Promise<void>
}

/** `serveArgs`: more options of `serve`. */
export async function openStack(port: number, intervalSeconds = 1, serveArgs: readonly string[] = []): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'onec-stack-'))
  const data = join(folder, 'data')
  const operator = {
    ONEC_RELAY_URL: `http://127.0.0.1:${port}`,
    ONEC_RELAY_TOKEN_FILE: join(folder, 'data.private', 'operator.token'),
  }
  const node = (script: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    run(process.execPath, [script, ...args], { cwd: folder, env: { ...operator, ...more } })
  let output = ''
  let serving: Running | undefined

  const stack: Stack = {
    folder,
    port,
    async relay(...args) {
      const command = node(BIN.relay, args)
      const code = await command.ended
      if (code !== 0) throw new Error(`onec-relay ${args.join(' ')} ended with ${code}:\n${command.output()}`)
      return command.output()
    },
    async json<T>(...args: readonly string[]) {
      return JSON.parse(await stack.relay(...args, '--json')) as T
    },
    async serve() {
      serving = node(BIN.relay, ['serve', '--data', data, '--port', String(port), ...serveArgs])
      await serving.says(/serves at/, UP_WITHIN_MS)
    },
    async killRelay() {
      if (!serving) return
      const pids = [serving.pid, ...(await descendants(serving.pid))]
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await serving.ended
      output += serving.output()
      serving = undefined
    },
    async stopRelay() {
      await serving?.end('SIGTERM')
      output += serving?.output() ?? ''
      serving = undefined
    },
    relayOutput: () => output + (serving?.output() ?? ''),
    agent: (name, ...args) =>
      node(BIN.agent, ['--state', join(folder, name), ...args], { METRICS_INTERVAL: String(intervalSeconds) }),
    async enrol(name, tenant, relayUrl = operator.ONEC_RELAY_URL, host = name) {
      const { code } = await stack.json<{ code: string }>('enrol', 'create', tenant)
      const enrolling = stack.agent(name, 'enrol', '--relay', relayUrl, '--code', code, '--name', host)
      if ((await enrolling.ended) !== 0) throw new Error(enrolling.output())
    },
    async destinations(tenant) {
      return (await stack.json<{ destinations: DestinationView[] }>('destination', 'list', tenant)).destinations
    },
    async hosts(tenant) {
      return (await stack.json<{ hosts: HostView[] }>('host', 'list', tenant)).hosts
    },
    host: (tenant, host) => stack.json<HostDetail>('host', 'show', tenant, host),
    async remove() {
      await stack.stopRelay()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await stack.relay('init', '--data', data)
  return stack
}
