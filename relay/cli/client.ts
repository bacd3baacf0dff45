import ky from 'ky'
import type { Outcome } from '../../shared/outcome.ts'
import { asProblem, type ProblemCode } from '../../shared/problem.ts'
import type { ConfigReply } from '../../shared/wire.ts'
import type { EnrolmentView, TenantRecord } from '../directory/rpc.ts'
import type {
  DeadLetterDetail,
  DeadLetterFilter,
  DeadLetterSelection,
  DeadLettersDropped,
  DeadLettersReplayed,
  DeadLetterView,
  DestinationEdit,
  DestinationInput,
  DestinationView,
  EventView,
  HostCounts,
  HostDetail,
  HostView,
} from '../tenant/rpc.ts'
import { UserError } from './user-error.ts'

/** Longer than the slowest thing that the relay does in an answer: a destination's test, at most 10 s. */
const TIMEOUT_MS = 15_000

export type TenantSummary = TenantRecord & { readonly hosts: HostCounts }
export type Enrolment = EnrolmentView & { readonly code: string }
export interface Removed {
  readonly id: string
  readonly name: string
}
export interface TestResult {
  readonly outcome: Outcome
  readonly tookMs: number
}

/** The admin API (`relay/api/README.md`). Every call fails with a `UserError` that says what to do next. */
export interface AdminClient {
  readonly url: string
  tenants(): Promise<{ readonly tenants: readonly TenantSummary[] }>
  addTenant(input: { name: string; id?: string }): Promise<TenantRecord>
  addEnrolment(tenant: string, input: { uses?: number; expiresInMs?: number; note?: string }): Promise<Enrolment>
  hosts(tenant: string): Promise<{ readonly hosts: readonly HostView[] }>
  host(tenant: string, host: string): Promise<HostDetail>
  setHostConfig(tenant: string, host: string, config: unknown): Promise<ConfigReply>
  removeHost(tenant: string, host: string): Promise<Removed>
  destinations(tenant: string): Promise<{ readonly destinations: readonly DestinationView[] }>
  addDestination(tenant: string, input: DestinationInput): Promise<DestinationView>
  editDestination(tenant: string, destination: string, edit: DestinationEdit): Promise<DestinationView>
  removeDestination(tenant: string, destination: string): Promise<Removed>
  testDestination(tenant: string, destination: string): Promise<TestResult>
  suspendDestination(tenant: string, destination: string): Promise<DestinationView>
  resumeDestination(tenant: string, destination: string): Promise<DestinationView>
  events(tenant: string, limit: number): Promise<{ readonly events: readonly EventView[] }>
  deadLetters(
    tenant: string,
    limit: number,
    filter: DeadLetterFilter,
  ): Promise<{ readonly deadLetters: readonly DeadLetterView[] }>
  deadLetter(tenant: string, id: number): Promise<DeadLetterDetail>
  replayDeadLetters(tenant: string, selection: DeadLetterSelection): Promise<DeadLettersReplayed>
  dropDeadLetters(tenant: string, selection: DeadLetterSelection): Promise<DeadLettersDropped>
}

export function adminClient({ url, token }: { url: string; token: string }): AdminClient {
  const call = <T>(method: string, path: readonly string[], json?: unknown, query = ''): Promise<T> =>
    request<T>({ method, url: `${url}/v1/admin/${path.map(encodeURIComponent).join('/')}${query}`, token, json })
  const destination = (tenant: string, name: string, ...verb: string[]) => [
    'tenants',
    tenant,
    'destinations',
    name,
    ...verb,
  ]
  const letters = (tenant: string, ...rest: string[]) => ['tenants', tenant, 'dead-letters', ...rest]
  return {
    url,
    tenants: () => call('GET', ['tenants']),
    addTenant: input => call('POST', ['tenants'], input),
    addEnrolment: (tenant, input) => call('POST', ['tenants', tenant, 'enrolments'], input),
    hosts: tenant => call('GET', ['tenants', tenant, 'hosts']),
    host: (tenant, host) => call('GET', ['tenants', tenant, 'hosts', host]),
    setHostConfig: (tenant, host, config) => call('PUT', ['tenants', tenant, 'hosts', host, 'config'], config),
    removeHost: (tenant, host) => call('DELETE', ['tenants', tenant, 'hosts', host]),
    destinations: tenant => call('GET', ['tenants', tenant, 'destinations']),
    addDestination: (tenant, input) => call('POST', ['tenants', tenant, 'destinations'], input),
    editDestination: (tenant, name, edit) => call('PATCH', destination(tenant, name), edit),
    removeDestination: (tenant, name) => call('DELETE', destination(tenant, name)),
    testDestination: (tenant, name) => call('POST', destination(tenant, name, 'test')),
    suspendDestination: (tenant, name) => call('POST', destination(tenant, name, 'suspend')),
    resumeDestination: (tenant, name) => call('POST', destination(tenant, name, 'resume')),
    events: (tenant, limit) => call('GET', ['tenants', tenant, 'events'], undefined, `?limit=${limit}`),
    deadLetters: (tenant, limit, filter) =>
      call('GET', letters(tenant), undefined, `?${new URLSearchParams({ limit: String(limit), ...filter })}`),
    deadLetter: (tenant, id) => call('GET', letters(tenant, String(id))),
    replayDeadLetters: (tenant, selection) => call('POST', letters(tenant, 'replay'), selection),
    dropDeadLetters: (tenant, selection) => call('POST', letters(tenant, 'drop'), selection),
  }
}

interface Call {
  readonly method: string
  readonly url: string
  readonly token: string
  readonly json?: unknown
}

async function request<T>({ method, url, token, json }: Call): Promise<T> {
  const { origin } = new URL(url)
  try {
    const answer = await ky(url, {
      method,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      ...(json !== undefined && { json }),
      timeout: TIMEOUT_MS,
      retry: 0,
      redirect: 'manual',
      throwHttpErrors: false,
    })
    return readAnswer(answer.status, await answer.text(), origin) as T
  } catch (error) {
    if (error instanceof UserError) throw error
    throw unreachable(error, origin)
  }
}

/** The decoded body of a 2xx; anything else fails with the relay's own words, or says that a stranger answered. */
export function readAnswer(status: number, text: string, origin: string): object {
  const body = asJson(text)
  if (status >= 200 && status < 300 && typeof body === 'object' && body !== null) return body
  const problem = asProblem(body)
  if (problem) {
    const next = NEXT[problem.code]
    throw new UserError(`${problem.detail} (${problem.code})`, next ? { next } : {})
  }
  throw new UserError(`${origin} answered ${status}, and not as an onec-relay does.`, {
    next: 'Check ONEC_RELAY_URL; a proxy in front of the relay may have answered in its place.',
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const NEXT: Partial<Record<ProblemCode, string>> = {
  token_missing: 'Point ONEC_RELAY_TOKEN_FILE at the file with the operator token (`onec-relay init` makes the first).',
  token_invalid: 'Check that ONEC_RELAY_TOKEN_FILE belongs to the relay at ONEC_RELAY_URL.',
  token_revoked: 'Ask an admin of this relay for a new operator token.',
  operator_forbidden: 'Ask an admin of this relay, or use a token with a higher role.',
  route_unknown: 'The relay is of another release than this command line: update one of them.',
  destination_refused: 'onec-relay destination add --help   lists the settings of each sink.',
  destination_gone: 'onec-relay dead-letter drop --help   shows how to drop what is not wanted any more.',
  replay_unsupported: 'onec-relay dead-letter drop --help   shows how to drop what is not wanted any more.',
  unavailable: 'Try again in a moment; if it stays so, look at the log of the relay.',
  state_unreadable: 'Look at the log of the relay: its state or its keys need attention.',
  internal: 'Look at the log of the relay, and report it as a bug.',
}

function unreachable(error: unknown, origin: string): UserError {
  const why =
    error instanceof Error && error.name === 'TimeoutError'
      ? `no answer within ${TIMEOUT_MS / 1000} s`
      : rootCause(error)
  return new UserError(`The relay at ${origin} cannot be reached: ${why}.`, {
    next: 'Start it (`npm start` or `onec-relay serve`), or point ONEC_RELAY_URL at the one that runs.',
  })
}

/** The innermost cause is the one that says something: "fetch failed" does not. */
function rootCause(error: unknown): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (!(inner instanceof Error)) return String(inner)
  return (inner as NodeJS.ErrnoException).code ?? inner.message
}
