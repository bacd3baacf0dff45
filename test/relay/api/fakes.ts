import { Hono } from 'hono'
import { adminApi } from '../../../relay/api/admin.ts'
import { agentApi } from '../../../relay/api/agent.ts'
import { metricsApi } from '../../../relay/api/metrics.ts'
import { mintOperatorToken } from '../../../relay/auth/token.ts'
import { type Directory, openDirectory } from '../../../relay/directory/directory.ts'
import type { DirectoryRpc, Operator } from '../../../relay/directory/rpc.ts'
import type { Sql } from '../../../relay/directory/sql.ts'
import type { Env } from '../../../relay/env.ts'
import { ok, refused } from '../../../relay/result.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import type { DeadLetterDetail, DestinationView, HostDetail, TenantRpc } from '../../../relay/tenant/rpc.ts'
import { nodeSql } from '../directory/node-sql.ts'

export const NOW = 1_795_408_705_854

export const SCRAPE_LIMITS = { atOnce: 2, tenantMs: 50, scrapeMs: 400 }

export type Call = readonly [method: string, ...args: unknown[]]

/** The relay's API over the directory's real rules and hand-made tenants that only remember what they were asked. */
export async function setUp(more: Partial<Env> = {}) {
  const clock = { now: NOW }
  const sql = nodeSql()
  const keys = generateKeyring()
  const operators = new Map<string, Operator>()
  const directory = openDirectory(sql, undefined, () => clock.now)
  const tenants = new Map<string, FakeTenant>()
  const env: Env = {
    DIRECTORY: { getByName: () => directoryRpc(directory, operators) },
    TENANT: { getByName: name => tenantNamed(tenants, name).rpc },
    RELAY_KEYS: keys,
    RELAY_OPERATOR_HASH: '',
    ...more,
  }
  const signIn = async (role: Operator['role'], only: readonly string[] | null = null) => {
    const { token, tokenHash } = await mintOperatorToken(readKeyring(keys), role)
    operators.set(tokenHash, { id: role, name: role, role, tenants: only })
    return token
  }
  const app = new Hono()
    .route(
      '/v1/admin',
      adminApi(() => clock.now),
    )
    .route('/v1', agentApi())
    .route('/', metricsApi(SCRAPE_LIMITS))
  return {
    app,
    clock,
    directory,
    env,
    keys,
    signIn,
    sql,
    tenant: (name: string) => tenantNamed(tenants, name),
    ...asking(app, env),
  }
}

function asking(app: Hono, env: Env) {
  const ask = async (token: string | null, method: string, path: string, body?: unknown) => {
    const reply = await app.request(
      path,
      {
        method,
        headers: {
          ...(token !== null && { Authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      },
      env,
    )
    return { status: reply.status, headers: reply.headers, body: await readJson(reply) }
  }
  return { ask }
}

async function readJson(reply: Response): Promise<Record<string, unknown>> {
  const text = await reply.text()
  return text.startsWith('{') ? JSON.parse(text) : { text }
}

export const auditOf = (sql: Sql) =>
  sql.rows('SELECT by, action, tenant_id AS tenant, subject FROM audit ORDER BY id').map(row => ({ ...row }))

function directoryRpc(directory: Directory, operators: ReadonlyMap<string, Operator>): DirectoryRpc {
  return {
    operator: async hash => {
      const operator = operators.get(hash)
      return operator ? ok(operator) : directory.operator(hash)
    },
    addTenant: async (input, by) => directory.addTenant(input, by),
    tenants: async () => directory.tenants(),
    tenant: async idOrName => directory.tenant(idOrName),
    addEnrolment: async (input, by) => directory.addEnrolment(input, by),
    enrolments: async tenantId => directory.enrolments(tenantId),
    redeem: async (codeHash, machineId) => directory.redeem(codeHash, machineId),
    audit: async entry => directory.audit(entry),
  }
}

export interface FakeTenant {
  readonly calls: Call[]
  /** Hosts that it has, name → machine. */
  readonly hosts: Map<string, string>
  /** Set: every method throws it. */
  failure: Error | undefined
  /** Set: no method ever answers. */
  hangs: boolean
  readonly rpc: TenantRpc
}

function tenantNamed(tenants: Map<string, FakeTenant>, name: string): FakeTenant {
  const tenant = tenants.get(name) ?? fakeTenant()
  tenants.set(name, tenant)
  return tenant
}

const CONFIG = { revision: 1, config: {} }
export const DESTINATION = { id: 'loki', name: 'Логи', sink: 'loki', secrets: ['password'] } as const
export const DEAD_LETTER = { id: 7, destination: 'Логи', host: 'БУХ-1С', batches: [] } as const
export const COUNTS = { total: 1, byState: { pending: 0, up: 1, late: 0, down: 0, disabled: 0 } }
export const METRICS = [
  {
    name: 'onec_host_up',
    labels: [
      ['instance', 'БУХ-1С'],
      ['tenant', 'ООО "Ромашка"'],
    ],
    value: 1,
  },
  { name: 'onec_dead_letters_total', labels: [['destination', 'Логи']], value: 3 },
] as const
const missing = refused('not_found', 'There is no such one.')

/** Knows one host, `БУХ-1С`, and one destination, `Логи`. */
function fakeTenant(): FakeTenant {
  const calls: Call[] = []
  const hosts = new Map([['БУХ-1С', 'machine-0']])
  const hostCalled = (name: string) => (name === 'БУХ-1С' ? ok({ id: 'bukh-1s', name }) : missing)
  const destinationCalled = (name: string) =>
    name === 'Логи' ? ok(DESTINATION as unknown as DestinationView) : missing
  const answers: {
    [Method in keyof TenantRpc]: (...args: Parameters<TenantRpc[Method]>) => Awaited<ReturnType<TenantRpc[Method]>>
  } = {
    init: () => undefined,
    ingest: () => missing,
    hostConfig: () => ok(CONFIG),
    enrol: ({ name, machineId }) => {
      if ((hosts.get(name) ?? machineId) !== machineId)
        return refused('host_name_taken', 'That name is taken: use --name.')
      hosts.set(name, machineId)
      return ok({ hostId: `h${hosts.size}`, config: CONFIG })
    },
    counts: () => COUNTS,
    metrics: () => METRICS,
    counters: () => ({
      acceptedBatches: 7,
      refusedBatches: { memory: 0, total: 0 },
      rowsWritten: 40,
      droppedEvents: 11,
      droppedBackups: 12,
    }),
    hosts: () => [],
    host: name => hostCalled(name) as ReturnType<typeof ok<HostDetail>>,
    removeHost: hostCalled,
    setHostConfig: (name, config) => (hostCalled(name).ok ? ok({ revision: 2, config }) : missing),
    destinations: () => [DESTINATION as unknown as DestinationView],
    addDestination: input => (input.name === 'Логи' ? refused('name_taken', 'Taken.') : destinationCalled('Логи')),
    editDestination: destinationCalled,
    removeDestination: name => (destinationCalled(name).ok ? ok({ id: 'loki', name }) : missing),
    testDestination: name => (destinationCalled(name).ok ? ok({ outcome: { kind: 'delivered' }, tookMs: 7 }) : missing),
    suspendDestination: destinationCalled,
    resumeDestination: destinationCalled,
    events: () => [],
    deadLetters: () => [],
    deadLetter: id => (id === 7 ? ok(DEAD_LETTER as unknown as DeadLetterDetail) : missing),
    replayDeadLetters: ({ ids }) => (ids?.includes(8) ? missing : ok({ replayed: 1, samples: 45, left: [] })),
    dropDeadLetters: ({ ids }) => (ids?.includes(8) ? missing : ok({ dropped: 1, samples: 45, left: [] })),
  }
  const tenant: FakeTenant = { calls, hosts, failure: undefined, hangs: false, rpc: {} as TenantRpc }
  for (const [method, answer] of Object.entries(answers))
    Object.assign(tenant.rpc, {
      [method]: async (...args: unknown[]) => {
        calls.push([method, ...args])
        if (tenant.failure) throw tenant.failure
        if (tenant.hangs) return new Promise(() => {})
        return (answer as (...args: unknown[]) => unknown)(...args)
      },
    })
  return tenant
}
