import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { sinkOf } from '../../../../relay/sinks/index.ts'
import type { DestinationView } from '../../../../relay/tenant/rpc.ts'
import { hostConfig } from '../../../../shared/host-config.ts'
import { PROBLEM_CONTENT_TYPE, type ProblemCode, problem } from '../../../../shared/problem.ts'

/** An operator token that the fake takes; of the right form, good for nothing. */
export const TOKEN = `oop1.m1.root.${'A'.repeat(43)}.${'B'.repeat(42)}A`

export interface Request {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

export interface FakeRelay {
  readonly url: string
  readonly requests: Request[]
  readonly destinations: DestinationView[]
  /** Answers every request like this until it is called without arguments. */
  answer(status?: number, body?: string, contentType?: string): void
  close(): Promise<void>
}

const NOW = Date.parse('2026-11-23T09:00:00Z')

/** Request bodies as `relay/api/README.md` has them; unknown keys are refused. */
const BODIES: readonly { route: RegExp; body: z.ZodType }[] = [
  { route: /^POST \/v1\/admin\/tenants$/, body: z.strictObject({ name: z.string(), id: z.string().optional() }) },
  {
    route: /^POST \/v1\/admin\/tenants\/[^/]+\/enrolments$/,
    body: z.strictObject({ uses: z.int().optional(), expiresInMs: z.int().optional(), note: z.string().optional() }),
  },
  {
    route: /^POST \/v1\/admin\/tenants\/[^/]+\/destinations$/,
    body: z.strictObject({
      name: z.string(),
      sink: z.string(),
      settings: z.record(z.string(), z.unknown()),
      budget: z.strictObject({ ageMs: z.int().optional(), bytes: z.int().optional() }).optional(),
    }),
  },
  {
    route: /^PATCH \/v1\/admin\/tenants\/[^/]+\/destinations\/[^/]+$/,
    body: z.strictObject({
      name: z.string().optional(),
      settings: z.record(z.string(), z.unknown()).optional(),
      budget: z.strictObject({ ageMs: z.int().nullish(), bytes: z.int().nullish() }).optional(),
    }),
  },
  { route: /^PUT \/v1\/admin\/tenants\/[^/]+\/hosts\/[^/]+\/config$/, body: hostConfig.strict() },
  {
    route: /^POST \/v1\/admin\/tenants\/[^/]+\/dead-letters\/(replay|drop)$/,
    body: z.union([
      z.strictObject({ all: z.literal(true) }),
      z.strictObject({
        ids: z.array(z.int()).min(1).optional(),
        destination: z.string().optional(),
        host: z.string().optional(),
      }),
    ]),
  },
]

/** The admin API of one tenant, `ooo-romashka`, kept in memory. */
export async function startFakeRelay(): Promise<FakeRelay> {
  const requests: Request[] = []
  const destinations: DestinationView[] = []
  let fixed: { status: number; body: string; contentType: string } | undefined
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming)
    requests.push(request)
    const answer = fixed ?? respond(request, incoming, destinations)
    response.writeHead(answer.status, { 'content-type': answer.contentType })
    response.end(answer.body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    destinations,
    answer: (status, body = '', contentType = 'text/html') => {
      fixed = status === undefined ? undefined : { status, body, contentType }
    },
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const body = await text(incoming)
  return {
    method: incoming.method ?? '',
    path: decodeURI(incoming.url ?? ''),
    body: body ? JSON.parse(body) : undefined,
  }
}

function respond(request: Request, { headers }: IncomingMessage, destinations: DestinationView[]) {
  if (headers.authorization !== `Bearer ${TOKEN}`)
    return refuse('token_invalid', 'This relay did not sign this operator token.')
  const line = `${request.method} ${request.path}`
  const expected = BODIES.find(({ route }) => route.test(line))?.body ?? z.undefined()
  const parsed = expected.safeParse(request.body)
  if (!parsed.success) return refuse('request_invalid', parsed.error.message)
  const value = route(line, request.body, destinations)
  return value === undefined ? refuse('not_found', `There is no ${request.path}.`) : json(value)
}

/** What the route answers; undefined is a 404. */
function route(line: string, body: unknown, destinations: DestinationView[]): object | undefined {
  if (line === 'GET /v1/admin/tenants') return { tenants: [{ ...TENANT, hosts: COUNTS }] }
  if (line === 'POST /v1/admin/tenants') return { ...TENANT, name: (body as { name: string }).name }
  const [, tenant, rest = ''] = /^\S+ \/v1\/admin\/tenants\/([^/]+)\/(.*)$/.exec(line) ?? []
  if (tenant !== TENANT.id && tenant !== TENANT.name) return undefined
  const verb = `${line.split(' ')[0]} ${rest}`
  if (verb === 'POST enrolments') return ENROLMENT
  if (verb === 'GET hosts') return { hosts: [HOST] }
  if (verb === `GET hosts/${HOST.name}`)
    return { ...HOST, config: { labels: { site: 'Склад' } }, leftOut: [LEFT_OUT], backups: [BACKUP] }
  if (verb === `PUT hosts/${HOST.name}/config`) return { revision: 8, config: body }
  if (verb === `DELETE hosts/${HOST.name}`) return { id: HOST.id, name: HOST.name }
  if (verb.startsWith('GET events?')) return { events: [EVENT] }
  if (/^(GET|POST) dead-letters[/?]/.test(verb)) return letterRoute(verb, body)
  return destinationRoute(verb, body, destinations)
}

/** Two letters, 7 and 8; the latter cannot be replayed. */
function letterRoute(verb: string, body: unknown): object | undefined {
  if (verb.startsWith('GET dead-letters?')) return { deadLetters: [DEAD_LETTER] }
  if (verb === 'GET dead-letters/7') return LETTER_DETAIL
  const { ids } = (body ?? {}) as { ids?: number[] }
  const letters = ids?.filter(id => id === 7 || id === 8).length ?? 2
  if (letters === 0) return undefined
  if (verb === 'POST dead-letters/drop') return { dropped: letters, samples: 41 * letters, left: [] }
  if (verb === 'POST dead-letters/replay') return { replayed: 1, samples: 41, left: letters > 1 ? [LEFT] : [] }
  return undefined
}

function destinationRoute(verb: string, body: unknown, destinations: DestinationView[]): object | undefined {
  if (verb === 'GET destinations') return { destinations }
  if (verb === 'POST destinations') {
    const { name, sink, settings } = body as { name: string; sink: string; settings: Record<string, unknown> }
    const view = { ...view0, id: `d${destinations.length + 1}`, name, sink, ...shown(sink, settings) }
    destinations.push(view)
    return view
  }
  const [, method, name, action] = /^(\S+) destinations\/([^/]+)(?:\/(.+))?$/.exec(verb) ?? []
  const index = destinations.findIndex(one => one.id === name || one.name === name)
  const found = destinations[index]
  if (!found) return undefined
  if (method === 'PATCH')
    return edit(destinations, index, found, body as { name?: string; settings?: Record<string, unknown> })
  if (method === 'DELETE') return destinations.splice(index, 1)[0]
  if (action === 'test')
    return { outcome: { kind: 'suspended', reason: '401: invalid API key\u001b[31m' }, tookMs: 120 }
  return {
    ...found,
    state: action === 'suspend' ? 'suspended' : 'active',
    reason: action === 'suspend' ? 'an operator' : null,
  }
}

function edit(
  destinations: DestinationView[],
  index: number,
  found: DestinationView,
  { name, settings = {} }: { name?: string; settings?: Record<string, unknown> },
): DestinationView {
  const next = shown(found.sink, settings)
  const kept = Object.fromEntries(
    Object.entries({ ...found.settings, ...next.settings }).filter(([, value]) => value !== null),
  )
  const secrets = new Set([...found.secrets, ...next.secrets])
  for (const [key, value] of Object.entries(settings)) if (value === null) secrets.delete(key)
  const edited = {
    ...found,
    name: name ?? found.name,
    settings: kept,
    secrets: [...secrets],
    version: found.version + 1,
  }
  destinations[index] = edited
  return edited
}

function shown(kind: string, settings: Record<string, unknown>) {
  const secret = new Set<string>(sinkOf(kind)?.secretFields)
  return {
    settings: Object.fromEntries(Object.entries(settings).filter(([key]) => !secret.has(key))),
    secrets: Object.keys(settings).filter(key => secret.has(key)),
  }
}

const json = (value: object) => ({ status: 200, body: JSON.stringify(value), contentType: 'application/json' })

function refuse(code: ProblemCode, detail: string) {
  const body = problem(code, detail)
  return { status: body.status, body: JSON.stringify(body), contentType: PROBLEM_CONTENT_TYPE }
}

const TENANT = { id: 'ooo-romashka', name: 'ООО Ромашка', createdAtMs: NOW }
const COUNTS = { total: 2, byState: { pending: 0, up: 1, late: 1, down: 0, disabled: 0 } }
const ENROLMENT = {
  code: '096C-66SY-14VG-113B',
  hint: '096C',
  usesLeft: 1,
  expiresAtMs: NOW + 86_400_000,
  createdAtMs: NOW,
  note: null,
}
const HOST = {
  id: 'h1',
  name: 'БУХ-1С',
  hostname: 'SRV-1C',
  state: 'up',
  stateSinceMs: NOW - 3_600_000,
  enrolledAtMs: NOW - 86_400_000,
  lastSeenMs: NOW - 12_000,
  dueAtMs: NOW + 48_000,
  clockSkewMs: 7_200_250,
  clockOffsetMs: 7_200_000,
  clones: [
    { spoolId: 'AAAAAAAAAAAAAAA8', bootId: null },
    { spoolId: 'AAAAAAAAAAAAAAAA', bootId: '29923478' },
  ],
  agent: { version: '0.1.0', os: 'Windows Server 2022', hostname: 'SRV-1C', intervalMs: 60_000, bootId: 'b' },
  spool: { id: 'AAAAAAAAAAAAAAAA', pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 },
  configRevision: 1,
}
const BACKUP = {
  name: 'Зарплата 3.1',
  state: 'ok',
  source: 'run',
  reason: null,
  status: 1,
  completedAtMs: NOW - 7_200_000,
  sizeBytes: 5_000_000_000,
  durationMs: 600_000,
  dueAtMs: null,
  runs: { ok: 3 },
}
const LEFT_OUT = { destination: 'grafana', ageSamples: 4_500, orderSamples: 0 }
const EVENT = { atMs: NOW, kind: 'host_down', subject: 'БУХ-1С', message: 'БУХ-1С is down\nsince 09:00' }
const DEAD_LETTER = {
  id: 7,
  atMs: NOW,
  destination: 'grafana',
  host: 'БУХ-1С',
  fromMs: NOW - 60_000,
  toMs: null,
  samples: 41,
  reason: '400: duplicate label',
}
const LETTER_DETAIL = {
  ...DEAD_LETTER,
  reason: '400: duplicate\nlabel\u001b[31m',
  batches: [
    {
      host: 'БУХ-1С',
      hostId: 'h1',
      source: 'agent',
      removed: false,
      ended: 0,
      snapshots: [
        {
          atMs: NOW - 60_000,
          metrics: { onec_cpu_percent: 45.2 },
          series: [{ name: 'onec_volume_free_bytes', labels: { volume: 'D:' }, value: 1e11 }],
        },
      ],
      entries: [{ atMs: NOW, level: 'error', message: 'Диск полон\u001b[2J', fields: { backup: 'ut11' } }],
    },
    { host: 'БУХ-1С', hostId: 'h1', source: 'relay', removed: true, ended: 2, snapshots: [], entries: [] },
  ],
  cut: { snapshots: 3, samples: 1_230, entries: 0 },
}
const LEFT = { code: 'destination_gone', detail: 'Destination "grafana" was removed.', letters: 1 }
const view0: DestinationView = {
  id: 'd0',
  name: '',
  sink: '',
  settings: {},
  secrets: [],
  budget: { ageMs: 86_400_000, bytes: 64 * 1024 * 1024 },
  version: 1,
  state: 'active',
  reason: null,
  sinceMs: null,
  nextAttemptAtMs: null,
  backlogBatches: 0,
  backlogBytes: 0,
  oldestAtMs: null,
  deliveredBatches: 0,
  deliveredSamples: 0,
  unconfirmedBatches: 0,
  partialRequests: 0,
  droppedSamples: 0,
  dropped: { budget: 0, age: 0, order: 0 },
  deadLetters: 0,
  deadLettersDropped: 0,
  lastDeliveredAtMs: null,
}

/** A destination as the API shows it, for tests that need no server. */
export const destinationView = (over: Partial<DestinationView> = {}): DestinationView => ({ ...view0, ...over })
