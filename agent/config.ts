import { randomBytes } from 'node:crypto'
import { homedir, platform } from 'node:os'
import path from 'node:path'
import * as z from 'zod'
import { DEFAULT_INTERVAL_MS, type HostConfig, hostConfig, mergeHostConfig } from '../shared/host-config.ts'
import { type ConfigReply, configReply } from '../shared/wire.ts'
import { UserError } from './error.ts'
import { makePrivateDirectory, readIfThere, readTextIfThere, removeIfThere, writeFileAtomic } from './file.ts'
import { decodeJson, findJsonTrouble } from './json.ts'
import { isLoopback } from './network/loopback.ts'
import { readSecret, writeSecret } from './secret.ts'
import { readTypedText } from './typed-text.ts'

/** What the agent takes from its environment: nothing else here reads it. */
export interface Environment {
  readonly stateDirectory: string
  /** `METRICS_INTERVAL`, which the guide has in seconds. */
  readonly intervalMs: number | undefined
  /** Where programs lie that only administrators change; Windows alone has it. */
  readonly programFiles: string
  /** Variables that are set and not heeded, by what they are about. */
  readonly ignored: readonly { readonly variable: string; readonly kind: 'interval' | 'sink' | 'proxy' }[]
  /** For the log at start; they name variables and never hold a value. */
  readonly warnings: readonly string[]
}

/** The seed's variables that hold a sink's address or credentials: the relay's business. */
const SINK_VARIABLE =
  /^(GRAFANA_(PROMETHEUS|LOKI)_(URL|USER|PASSWORD)|PROMETHEUS_PUSHGATEWAY_URL|INFLUXDB_(URL|TOKEN|ORG|BUCKET))$/

/** What other programs take a proxy from; a service has none of them. */
const PROXY_VARIABLE = /^(HTTPS?|ALL)_PROXY$/i

export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const interval = variables.METRICS_INTERVAL
  const intervalMs = hostConfig.shape.intervalMs.safeParse(interval ? Math.round(Number(interval) * 1000) : undefined)
  const matching = (pattern: RegExp) => Object.keys(variables).filter(name => pattern.test(name) && variables[name])
  const sinkVariables = matching(SINK_VARIABLE)
  return {
    stateDirectory: variables.ONEC_AGENT_STATE || defaultStateDirectory(variables.ProgramData),
    intervalMs: intervalMs.data,
    programFiles: variables.ProgramW6432 || variables.ProgramFiles || 'C:\\Program Files',
    ignored: [
      ...(intervalMs.success ? [] : [{ variable: 'METRICS_INTERVAL', kind: 'interval' as const }]),
      ...sinkVariables.map(variable => ({ variable, kind: 'sink' as const })),
      ...matching(PROXY_VARIABLE).map(variable => ({ variable, kind: 'proxy' as const })),
    ],
    warnings: [
      ...(intervalMs.success ? [] : ['METRICS_INTERVAL is ignored: it is a number of seconds from 1 to 3600']),
      ...sinkVariables.map(
        name => `${name} is ignored: destinations are set at the relay, the agent holds no sink credentials`,
      ),
    ],
  }
}

/** The language of this machine's messages, as POSIX orders the variables; empty when none is set. */
export function readLocale(variables: NodeJS.ProcessEnv = process.env): string {
  return variables.LC_ALL || variables.LC_MESSAGES || variables.LANG || ''
}

/** A child's environment: this process's own, with `added`; an undefined value takes a variable away. */
export const childEnvironment = (added: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...added,
})

/**
 * More threads than calls can hang at once: the dispatcher of a Windows service (1, for its life), paths of backups (2)
 * and of log files (2), families of metrics that ask somebody (8). With Node's four a dead NAS and a hung Remote Desktop
 * service leave none to look up the relay's name or to read what does not hang. Counts when it comes before the first
 * call that takes a thread; each costs some KB.
 */
export function widenThreadPool(variables: NodeJS.ProcessEnv = process.env): void {
  variables.UV_THREADPOOL_SIZE = '16'
}

function defaultStateDirectory(programData: string | undefined): string {
  if (platform() === 'win32') return path.join(programData ?? 'C:\\ProgramData', 'onec-agent')
  if (process.getuid?.() === 0) return '/var/lib/onec-agent'
  return path.join(homedir(), '.local', 'state', 'onec-agent')
}

/** Where things are in the state directory. */
export interface StatePaths {
  readonly directory: string
  readonly config: string
  readonly relayConfig: string
  readonly token: string
  readonly proxyLogin: string
  readonly ca: string
  readonly removed: string
  readonly lock: string
  readonly status: string
  readonly spool: string
  readonly aside: string
  readonly backups: string
  /** A service's log files. */
  readonly logs: string
  readonly logPositions: string
  readonly credentials: string
}

export function statePaths(stateDirectory: string): StatePaths {
  const directory = path.resolve(stateDirectory)
  const at = (name: string) => path.join(directory, name)
  return {
    directory,
    config: at('config.json'),
    relayConfig: at('relay-config.json'),
    token: at('token'),
    proxyLogin: at('proxy-login'),
    ca: at('ca.pem'),
    removed: at('removed.json'),
    lock: at('run.lock'),
    status: at('status.json'),
    spool: at('spool'),
    aside: path.join(at('spool'), 'aside'),
    backups: at('backups'),
    logs: at('logs'),
    logPositions: at('log-positions.json'),
    credentials: at('credentials'),
  }
}

/** `config.json`: written by `enrol`; `host` is for a person's own hand. */
export const agentConfig = z.object({
  hostId: z.string(),
  /** Base URLs of the relay, best first. */
  routes: z.array(z.url()).min(1),
  /** Plain http was allowed beyond loopback. */
  allowHttp: z.boolean().optional(),
  machineId: z.string().min(8).max(128),
  /** `http://proxy.example:3128`. A login is a secret and has a file of its own. */
  proxy: z
    .url()
    .refine(url => !url.includes('@'), 'no login here: onec-agent network --proxy file:PATH')
    .optional(),
  /** PEM file with the certificates that this host trusts beside the usual ones. */
  ca: z.string().min(1).optional(),
  /** This host's own settings; what the relay sets wins over them. */
  host: hostConfig.optional(),
})
export type AgentConfig = z.output<typeof agentConfig>

const removedFile = z.object({ atMs: z.number(), reason: z.string() })

/** `config.json` cannot be understood. */
export class ConfigDamagedError extends UserError {
  override name = 'ConfigDamagedError'
  /** What is wrong with its content; absent for what is no JSON. */
  readonly reason: string | undefined
  /** Where it stops being JSON. */
  readonly at: string
  constructor(file: string, { reason, at = '?' }: { reason?: string; at?: string }) {
    const what = reason ?? `it is no JSON (line:column ${at}). A backslash in it is written twice: "D:\\\\Backup"`
    super(`${file} cannot be used: ${what}\nPut it right, or enrol again.`)
    this.reason = reason
    this.at = at
  }
}

/** Absent before the host was enrolled. Fails with a ConfigDamagedError when the file cannot be understood. */
export function readConfig(paths: StatePaths): AgentConfig | undefined {
  const text = readIfThere(readTypedText, paths.config)
  if (text === undefined) return undefined
  const at = findJsonTrouble(text)
  if (at !== undefined) throw new ConfigDamagedError(paths.config, { at })
  const parsed = agentConfig.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new ConfigDamagedError(paths.config, { reason: z.prettifyError(parsed.error) })
}

export function writeConfig(paths: StatePaths, config: AgentConfig): void {
  writeFileAtomic(paths.config, `${JSON.stringify(config, undefined, 2)}\n`)
}

/** What the relay last set, if it can be read: a damaged file is fetched anew. */
export function readRelayConfig(paths: StatePaths): ConfigReply | undefined {
  return configReply.safeParse(decodeJson(readTextIfThere(paths.relayConfig))).data
}

export function writeRelayConfig(paths: StatePaths, config: ConfigReply): void {
  writeFileAtomic(paths.relayConfig, JSON.stringify(config))
}

/** The host has no token: it was never enrolled, or was removed. */
export class NotEnrolledError extends UserError {
  override name = 'NotEnrolledError'
  readonly directory: string
  /** Absent where it was never enrolled. */
  readonly removedReason: string | undefined
  constructor(directory: string, removedReason?: string) {
    const what =
      removedReason !== undefined
        ? `was removed at the relay (${removedReason})`
        : `is not enrolled (no token in ${directory})`
    super(`This host ${what}. Enrol it: onec-agent enrol --relay https://relay.example --code CODE`)
    this.directory = directory
    this.removedReason = removedReason
  }
}

/** That the relay removed this host, if it did. */
export const readRemoved = (paths: StatePaths) => removedFile.safeParse(decodeJson(readTextIfThere(paths.removed))).data

/** The host's token. Fails with a NotEnrolledError when there is none. */
export function readToken(paths: StatePaths): string {
  const removed = readRemoved(paths)
  if (removed) throw new NotEnrolledError(paths.directory, removed.reason)
  const token = readSecret(paths.token)
  if (!token) throw new NotEnrolledError(paths.directory)
  return token
}

/** What enrolment gave; the token is in a file of its own that only its owner reads. */
export function writeEnrolment(paths: StatePaths, config: AgentConfig, relay: ConfigReply, token: string): void {
  makePrivateDirectory(paths.directory)
  writeConfig(paths, config)
  writeRelayConfig(paths, relay)
  writeSecret(paths.token, token)
  removeIfThere(paths.removed)
}

/** From now on `run` refuses to start, until the host is enrolled again. */
export function writeRemoved(paths: StatePaths, atMs: number, reason: string): void {
  writeFileAtomic(paths.removed, JSON.stringify({ atMs, reason }))
  removeIfThere(paths.token)
}

/** What applies on this host: the relay's word, then the local file's, then `METRICS_INTERVAL`, then 60 seconds. */
export function effectiveConfig(
  relay: HostConfig | undefined,
  local: HostConfig | undefined,
  environmentIntervalMs: number | undefined,
): HostConfig & { readonly intervalMs: number } {
  const below = { intervalMs: environmentIntervalMs ?? DEFAULT_INTERVAL_MS }
  const merged = mergeHostConfig(relay ?? {}, local ?? {}, below)
  return { ...merged, intervalMs: merged.intervalMs ?? below.intervalMs }
}

/** A relay's base URL, checked. Fails with a UserError: plain http only to this machine itself, unless allowed. */
export function checkRelayUrl(text: string, allowHttp: boolean): string {
  const url = URL.parse(text)
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new UserError(`"${text}" is no relay URL. Example: https://relay.example`)
  if (url.username || url.password || url.search || url.hash)
    throw new UserError('A relay URL holds no user name, password or query. Example: https://relay.example')
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname))
    throw new UserError(
      `${url.origin} is plain http: the token would be readable on the way. Use https, or --allow-http in a network of your own.`,
    )
  return url.href.replace(/\/+$/, '')
}

export const newMachineId = (): string => randomBytes(16).toString('hex')

/** The same, as the files of the state directory have it now. */
export function readEffectiveConfig(paths: StatePaths, environment: Environment) {
  return effectiveConfig(readRelayConfig(paths)?.config, readConfig(paths)?.host, environment.intervalMs)
}
