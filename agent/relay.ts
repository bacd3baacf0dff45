import http from 'node:http'
import https from 'node:https'
import { UserError } from './error.ts'
import { CAUSE_REASONS, causeOf, loginCause, type NetworkCause, proxyCauseOf } from './network/cause.ts'
import { isLoopback } from './network/loopback.ts'
import { askProxySchemes, type ProxyAddress } from './network/proxy.ts'
import { createTrust } from './network/trust.ts'
import { openWays, type Way } from './network/ways.ts'
import type { NoReply, Reply } from './verdict.ts'
import { VERSION } from './version.ts'

const TIMEOUT_MS = 15_000

/** A relay's answers are far shorter; a stranger's page is cut here. */
const MAX_REPLY_BYTES = 64 * 1024

/** Headers of a request and of its answer. */
const HEAD_BYTES = 800

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
  /** What one connection may carry; the usual 16 KB when absent. */
  readonly maxBytes?: number
}

/** The agent's only way out. Fails with a UserError when this Node cannot do what `connection` asks for. */
export function createExchange(connection: Connection): Exchange {
  const { proxy } = connection
  // An older one would ignore the setting and go around the proxy.
  if (proxy && !http.setGlobalProxyFromEnv)
    throw new UserError(`A proxy needs Node.js 24.14 or newer; found ${process.versions.node}.`)
  const trust = createTrust(connection.ca)
  const ways = openWays(trust, proxy, connection.maxBytes)

  async function attempt(request: RelayRequest, url: URL, signal: AbortSignal): Promise<RelayReply | NoReply> {
    const through = isLoopback(url.hostname) ? undefined : proxy
    try {
      const way = ways.take(url, through !== undefined, HEAD_BYTES + (request.body?.bytes.length ?? 0))
      const reply = await send(request, url, way, signal)
      way.carriedBytes += HEAD_BYTES + (request.body?.bytes.length ?? 0) + reply.body.length
      if (reply.status !== 407 || !through) return reply
      return noReply(loginCause(await askProxySchemes(through, targetOf(url), signal)))
    } catch (error) {
      const cause = await nameCause(error, url, through, signal)
      if (cause === 'tls_issuer' && trust.widen()) return await attempt(request, url, signal)
      return noReply(cause, error)
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
  const detail = detailOf(error)
  return { status: null, cause, reason: `${CAUSE_REASONS[cause]}${detail && ` (${detail})`}`, detail }
}

/** The system's code, or the status that a proxy answered; their messages may hold a proxy's login. */
function detailOf(error: unknown): string {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown }
  if (typeof statusCode === 'number') return `HTTP ${statusCode}`
  return typeof code === 'string' ? code : ''
}

function send(request: RelayRequest, url: URL, way: Way, signal: AbortSignal): Promise<RelayReply> {
  const client = url.protocol === 'https:' ? https : http
  const { agent } = way
  let giveUp = () => {}
  const reply = new Promise<RelayReply>((resolve, reject) => {
    // Not every request hears the signal: see Way.
    giveUp = () => {
      reject(signal.reason)
      way.giveUp()
    }
    signal.addEventListener('abort', giveUp)
    const sent = client.request(url, { method: request.method, headers: headersOf(request), agent, signal })
    sent.on('error', reject)
    sent.on('response', response => {
      readText(response).then(body => resolve(replyOf(response, body)), reject)
    })
    sent.end(request.body?.bytes)
  })
  return reply.finally(() => signal.removeEventListener('abort', giveUp))
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
