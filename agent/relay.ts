import http from 'node:http'
import https from 'node:https'
import type tls from 'node:tls'
import { UserError } from './error.ts'
import { CAUSE_REASONS, causeOf, loginCause, type NetworkCause, proxyCauseOf } from './network/cause.ts'
import { isLoopback } from './network/loopback.ts'
import { askProxySchemes, type ProxyAddress, proxyUrl } from './network/proxy.ts'
import { createTrust, type Trust } from './network/trust.ts'
import type { NoReply, Reply } from './verdict.ts'
import { VERSION } from './version.ts'

const TIMEOUT_MS = 15_000

/** A relay's answers are far shorter; a stranger's page is cut here. */
const MAX_REPLY_BYTES = 64 * 1024

/** A connection that idles longer is closed: between two posts a firewall may have forgotten it. */
const IDLE_MS = 4_000

/** For each of a name's addresses. Node's own 250 ms is short for a satellite or a mobile network. */
const ADDRESS_ATTEMPT_MS = 2_000

export interface RelayReply extends Reply {
  /** Release of the relay; null when the header is not there. */
  readonly relayVersion: string | null
  /** The other side's clock, as its `Date` header has it (whole seconds); null without one. */
  readonly dateMs?: number | null
}

export interface RelayRequest {
  readonly method: 'GET' | 'POST'
  /** Base URL of the relay, a path in it included. */
  readonly route: string
  /** Below the route: `v1/batches`. */
  readonly path: string
  readonly token?: string
  readonly body?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly gzip: boolean }
  readonly signal?: AbortSignal
}

/** One exchange with the relay, at most 15 seconds, never redirected, never repeated here. Does not throw. */
export type Exchange = (request: RelayRequest) => Promise<RelayReply | NoReply>

/** How this host reaches its relay. */
export interface Connection {
  readonly proxy?: ProxyAddress | undefined
  /** PEM certificates beside those that everyone trusts. */
  readonly ca: readonly string[]
}

/** The agent's only way out. Fails with a UserError when this Node cannot do what `connection` asks for. */
export function createExchange(connection: Connection): Exchange {
  const { proxy } = connection
  // An older one would ignore the setting and go around the proxy.
  if (proxy && !http.setGlobalProxyFromEnv)
    throw new UserError(`A proxy needs Node.js 24.14 or newer; found ${process.versions.node}.`)
  const trust = createTrust(connection.ca)
  const agents = openAgents(trust, proxy)

  async function attempt(request: RelayRequest, url: URL, signal: AbortSignal): Promise<RelayReply | NoReply> {
    const through = isLoopback(url.hostname) ? undefined : proxy
    try {
      const reply = await send(request, url, agents.for(url, through), signal)
      if (reply.status !== 407 || !through) return reply
      return noReply(loginCause(await askProxySchemes(through, targetOf(url), signal)))
    } catch (error) {
      const cause = await nameCause(error, url, through, signal)
      if (cause === 'tls_issuer' && trust.widen()) return await attempt(request, url, signal)
      return noReply(cause, cause === 'other' ? error : undefined)
    }
  }

  return async request => {
    const late = AbortSignal.timeout(TIMEOUT_MS)
    const signal = request.signal ? AbortSignal.any([late, request.signal]) : late
    const reply = await attempt(request, urlOf(request), signal)
    return late.aborted && reply.status === null ? noReply('timeout') : reply
  }
}

/** Straight to the relay, believing whom everyone believes. */
export const exchange: Exchange = createExchange({ ca: [] })

const urlOf = ({ route, path }: RelayRequest): URL => new URL(path, `${route.replace(/\/+$/, '')}/`)
const targetOf = (url: URL): string => `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`

async function nameCause(error: unknown, url: URL, proxy: ProxyAddress | undefined, signal: AbortSignal) {
  if (!proxy) return causeOf(error)
  const refused = (error as { statusCode?: unknown }).statusCode === 407
  return proxyCauseOf(error, refused ? await askProxySchemes(proxy, targetOf(url), signal) : [])
}

function noReply(cause: NetworkCause, error?: unknown): NoReply {
  const detail = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
  return { status: null, cause, reason: `${CAUSE_REASONS[cause]}${detail}` }
}

/** Connections are kept for a burst of posts, by way and by whom it trusts. */
function openAgents(trust: Trust, proxy: ProxyAddress | undefined) {
  const common = { keepAlive: true, timeout: IDLE_MS, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS }
  const through = proxy && { HTTP_PROXY: proxyUrl(proxy), HTTPS_PROXY: proxyUrl(proxy) }
  const open = new Map<string, http.Agent>()
  let context: tls.SecureContext | undefined
  return {
    for(url: URL, proxied: ProxyAddress | undefined): http.Agent {
      if (context !== trust.context) open.clear()
      context = trust.context
      const key = `${url.protocol}${proxied ? 'proxy' : 'direct'}`
      const options = { ...common, ...(proxied && { proxyEnv: through }) }
      const agent =
        open.get(key) ??
        (url.protocol === 'https:'
          ? new https.Agent({ ...options, secureContext: context } as https.AgentOptions)
          : new http.Agent(options as http.AgentOptions))
      open.set(key, agent)
      return agent
    },
  }
}

function send(request: RelayRequest, url: URL, agent: http.Agent, signal: AbortSignal): Promise<RelayReply> {
  const client = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const sent = client.request(url, { method: request.method, headers: headersOf(request), agent, signal })
    sent.on('error', reject)
    sent.on('response', response => {
      readText(response).then(body => resolve(replyOf(response, body)), reject)
    })
    sent.end(request.body?.bytes)
  })
}

function replyOf({ statusCode = 0, headers }: http.IncomingMessage, body: string): RelayReply {
  const version = headers['onec-relay-version']
  const dateMs = Date.parse(headers.date ?? '')
  return {
    status: statusCode,
    retryAfter: headers['retry-after'] ?? null,
    relayVersion: typeof version === 'string' ? version : null,
    dateMs: Number.isNaN(dateMs) ? null : dateMs,
    body,
  }
}

function headersOf({ token, body }: RelayRequest): Record<string, string> {
  return {
    'user-agent': `onec-agent/${VERSION}`,
    accept: 'application/json',
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
    ...(body?.gzip && { 'content-encoding': 'gzip' }),
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > MAX_REPLY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
