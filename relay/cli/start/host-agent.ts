import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import type { AdminClient } from '../client.ts'
import { exists, makePrivate } from '../private-directory.ts'
import { SEED_SINK_VARIABLES } from '../seed-destinations.ts'
import { type Child, describeExit, type Exit, endChild, startChild } from '../serve/child.ts'
import type { Claim } from '../serve/claim.ts'
import { type Supervised, supervise } from '../serve/supervisor.ts'
import { systemCode, UserError } from '../user-error.ts'

export interface AgentOptions {
  /** The agent's bundle. */
  readonly bundle: string
  /** Its state directory. */
  readonly state: string
  readonly variables: Readonly<Record<string, string>>
  readonly intervalSeconds: number
  readonly claim: Claim
  readonly stopping: AbortSignal
  say(line: string): void
}

const ENROL_TIMEOUT_MS = 30_000
const ENROL_EXPIRES_MS = 600_000
const GRACE_MS = 5_000

/** The part of the agent's own file that says where it is enrolled. */
const enrolledSchema = z.object({ hostId: z.string(), routes: z.array(z.string()) })
type Enrolled = z.output<typeof enrolledSchema>

/**
 * Enrols this machine, unless its agent has a token for a host that this relay still knows. The same machine enrolling
 * again stays the same host.
 */
export async function ensureEnrolled(options: AgentOptions, client: AdminClient, tenantId: string): Promise<void> {
  await makePrivate(options.state)
  const { hosts } = await client.hosts(tenantId)
  const enrolled = await readEnrolled(options.state)
  const routes = [client.url, ...(options.variables.RELAY_ROUTES ?? '').split(',').map(route => route.trim())]
  if (
    enrolled &&
    isCurrent(
      enrolled,
      hosts.map(host => host.id),
      routes,
    )
  )
    return
  const { code } = await client.addEnrolment(tenantId, { uses: 1, expiresInMs: ENROL_EXPIRES_MS, note: 'npm start' })
  await runAgent(options, ['enrol', '--relay', client.url, '--code', code])
}

/** Whether an enrolment still holds: the relay knows the host, and is where the agent looks for it. */
export function isCurrent(enrolled: Enrolled, hostIds: readonly string[], routes: readonly string[]): boolean {
  return hostIds.includes(enrolled.hostId) && enrolled.routes.some(route => routes.includes(route))
}

/** Absent when the agent has no token, or its file cannot be understood: enrolling again puts both right. */
async function readEnrolled(state: string): Promise<Enrolled | undefined> {
  if (!(await exists(join(state, 'token')))) return undefined
  try {
    return enrolledSchema.safeParse(JSON.parse(await readFile(join(state, 'config.json'), 'utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Runs the agent and keeps it running, but for its own decision to stop (its host was removed). */
export function superviseAgent(options: AgentOptions): Promise<Supervised> {
  return supervise({
    name: 'agent',
    async start() {
      const child = await startAgent(options, ['run'])
      await options.claim.noteChild('agent', child.pid)
      return child
    },
    stopping: options.stopping,
    say: options.say,
    now: Date.now,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    final: exit =>
      exit.code === 0 ? 'The agent stopped by itself: was its host removed? The next start enrols it anew.' : undefined,
  })
}

async function runAgent(options: AgentOptions, args: readonly string[]): Promise<void> {
  const child = await startAgent(options, args)
  const giveUp = AbortSignal.any([options.stopping, AbortSignal.timeout(ENROL_TIMEOUT_MS)])
  const end = () => void endChild(child, GRACE_MS)
  giveUp.addEventListener('abort', end)
  const exit: Exit = await child.exited
  giveUp.removeEventListener('abort', end)
  if (exit.code !== 0)
    throw new UserError(`onec-agent ${args[0]} ${describeExit(exit)}.`, { next: 'The lines above say why.' })
}

function startAgent(options: AgentOptions, args: readonly string[]): Promise<Child> {
  return startChild({
    file: process.execPath,
    args: [options.bundle, ...args, '--state', options.state],
    env: agentVariables(options.variables, options.intervalSeconds),
    onLine: options.say,
  })
}

/** The agent holds no sink credentials: what the seed's variables say is the relay's. */
export function agentVariables(
  variables: Readonly<Record<string, string>>,
  intervalSeconds: number,
): Record<string, string> {
  const passed = Object.entries(variables).filter(([name]) => !SEED_SINK_VARIABLES.includes(name))
  return { ...Object.fromEntries(passed), METRICS_INTERVAL: String(intervalSeconds) }
}
