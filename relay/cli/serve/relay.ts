import { mkdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adminClient } from '../client.ts'
import type { Variables } from '../environment.ts'
import type { PrivateFiles } from '../private-directory.ts'
import { writePrivateFile } from '../private-file.ts'
import { UserError } from '../user-error.ts'
import { type Child, describeExit, endChild, startChild } from './child.ts'
import type { Claim } from './claim.ts'
import { waitUntilHealthy } from './health.ts'
import { type Supervised, supervise } from './supervisor.ts'
import { workerdConfig } from './workerd-config.ts'

export interface RelayOptions {
  readonly workerd: string
  /** The relay's bundle. */
  readonly bundle: string
  readonly dataDirectory: string
  readonly claim: Claim
  readonly keys: PrivateFiles
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Of these, `RELAY_ROUTES`, `FLUSH_LINGER_MS` and what a process needs to find its certificates are passed on. */
  readonly variables: Variables
  /** Aborts when the relay is not wanted any more, even while it starts. */
  readonly stopping: AbortSignal
  say(line: string): void
}

export interface RunningRelay extends Supervised {
  /** Where this machine reaches it. */
  readonly url: string
}

const LISTEN_TIMEOUT_MS = 20_000
const GRACE_MS = 5_000
const KEPT_LINES = 5

/** What workerd's own process may see of ours: nothing that could be a secret. */
const PASSED_ON = ['PATH', 'TZ', 'LANG', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SYSTEMROOT', 'TEMP', 'TMP', 'TMPDIR']
const PASSED_BINDINGS = ['RELAY_ROUTES', 'FLUSH_LINGER_MS']

/**
 * Runs the relay under workerd and keeps it running; resolves when it answers `/healthz` and its tenants' objects are
 * awake. After a restart nobody else wakes them: an object re-arms its alarm in its constructor, and that runs at the
 * first call.
 */
export async function openRelay(options: RelayOptions): Promise<RunningRelay> {
  const state = join(options.dataDirectory, 'state')
  await mkdir(state, { recursive: true, mode: 0o700 })
  let { port } = options
  const start = async (stopping: AbortSignal): Promise<Child> => {
    const started = await startWorkerd(options, state, port, stopping)
    port = started.port
    const url = urlOf(options.host, port)
    const ended = started.child.exited.then(exit => Promise.reject(new UserError(`workerd ${describeExit(exit)}.`)))
    try {
      await Promise.race([waitUntilHealthy(url, ms => sleep(ms, undefined, { signal: stopping })), ended])
      await Promise.race([wakeTenants(options, url), ended])
      return started.child
    } catch (error) {
      await endChild(started.child, GRACE_MS)
      throw error
    } finally {
      ended.catch(() => undefined)
    }
  }
  const supervised = await supervise({
    name: 'relay',
    start,
    stopping: options.stopping,
    say: options.say,
    now: Date.now,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
  })
  return { ...supervised, url: urlOf(options.host, port) }
}

async function wakeTenants(options: RelayOptions, url: string): Promise<void> {
  const { tenants } = await adminClient({ url, token: options.keys.operatorToken }).tenants()
  if (tenants.length > 0) options.say(`Woke ${tenants.length} tenant${tenants.length === 1 ? '' : 's'}.`)
}

/** Starts workerd and waits for it to listen. Fails with its last words when it does not. */
async function startWorkerd(
  options: RelayOptions,
  state: string,
  port: number,
  stopping: AbortSignal,
): Promise<{ child: Child; port: number }> {
  const config = join(options.dataDirectory, 'workerd.capnp')
  await writePrivateFile(config, configText(options, config, state, port))
  const lastLines: string[] = []
  let onListening: (port: number) => void
  const listening = new Promise<number>(resolve => {
    onListening = resolve
  })
  const child = await startChild({
    file: options.workerd,
    args: ['serve', '--control-fd=3', config],
    env: childVariables(options),
    cwd: options.dataDirectory,
    onLine(line) {
      lastLines.push(line)
      if (lastLines.length > KEPT_LINES) lastLines.shift()
      options.say(line)
    },
    onControlLine: line => onListening(readListening(line)),
  })
  await options.claim.noteChild('relay', child.pid)
  const ended = child.exited.then(exit => {
    throw new UserError(
      `workerd ${describeExit(exit)} before it listened: ${lastLines.join(' ') || 'it said nothing'}`,
      {
        next: `Look at ${config} and at the lines above.`,
      },
    )
  })
  const giveUp = AbortSignal.any([stopping, AbortSignal.timeout(LISTEN_TIMEOUT_MS)])
  const end = () => child.kill('SIGKILL')
  giveUp.addEventListener('abort', end)
  try {
    return { child, port: await Promise.race([listening, ended]) }
  } finally {
    giveUp.removeEventListener('abort', end)
    ended.catch(() => undefined)
  }
}

function configText(options: RelayOptions, config: string, state: string, port: number): string {
  const texts: Record<string, string> = { PRIVATE_DESTINATIONS: 'allow' }
  for (const name of PASSED_BINDINGS) if (options.variables[name] !== undefined) texts[name] = options.variables[name]
  return workerdConfig({
    bundle: relative(dirname(config), options.bundle).replaceAll('\\', '/'),
    stateDirectory: state,
    address: `${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    texts,
    secrets: ['RELAY_KEYS', 'RELAY_OPERATOR_HASH'],
  })
}

function childVariables({ variables, keys }: RelayOptions): Record<string, string> {
  const passed = Object.entries(variables).filter(([name]) => PASSED_ON.includes(name.toUpperCase()))
  return { ...Object.fromEntries(passed), RELAY_KEYS: keys.keys, RELAY_OPERATOR_HASH: keys.operatorHash }
}

/** `{"event":"listen","socket":"http","port":8787}`: workerd's only message. */
function readListening(line: string): number {
  return (JSON.parse(line) as { port: number }).port
}

/** A wildcard is an address to listen on, not to call. */
function urlOf(host: string, port: number): string {
  const callable = host === '0.0.0.0' || host === '*' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${callable.includes(':') ? `[${callable}]` : callable}:${port}`
}
