import { asProblem, type Problem } from '../../shared/problem.ts'
import { configReply } from '../../shared/wire.ts'
import { decodeJson } from '../json.ts'
import type { NetworkCause } from '../network/cause.ts'
import type { RelayReply } from '../relay.ts'
import type { NoReply } from '../verdict.ts'
import { type Finding, finding, type Severity } from './finding.ts'
import { hostOf, type ProbeFacts } from './probe.ts'

/** What one way to the relay showed. */
export interface RouteFacts {
  /** Base URL. */
  readonly route: string
  /** The proxy's URL without its login; absent on a direct way. */
  readonly proxy?: string | undefined
  readonly probe: ProbeFacts
  /** To `GET /v1/config` with the host's token. */
  readonly reply: RelayReply | NoReply
  readonly answerMs: number
  /** This machine's clock in the middle of that exchange. */
  readonly askedAtMs: number
  /** Absent when it was not tried: small answers already fail. */
  readonly large?: LargeFacts | undefined
}

/** Answers over one connection, until enough was carried or one did not come. */
export interface LargeFacts {
  readonly carriedBytes: number
  readonly tookMs: number
  readonly cut: boolean
}

const ENDING_MS = 14 * 86_400_000

/** `severity` of what is wrong with this way: another one may do the work meanwhile. */
export function judgeRoute(facts: RouteFacts, severity: Severity | undefined): Finding[] {
  const trouble = routeTrouble(facts)
  if (trouble) return [severity ? { ...trouble, severity } : trouble]
  const { route, probe, answerMs, reply, large } = facts
  const version = (reply.status === null ? null : reply.relayVersion) ?? '?'
  return [
    ...wayFindings(facts),
    ...certificateFindings(route, probe, facts.askedAtMs),
    finding('route.relay', { route, version, answerMs }),
    ...(large ? [largeFinding(route, large)] : []),
  ]
}

/** Whether it was the relay itself that answered, whatever it said. */
export function isRelay(reply: RelayReply | NoReply): boolean {
  return reply.status !== null && (problemOf(reply) !== undefined || configOf(reply) !== undefined)
}

export function problemOf(reply: RelayReply | NoReply): Problem | undefined {
  return reply.status === null ? undefined : asProblem(decodeJson(reply.body))
}

export function configOf(reply: RelayReply | NoReply) {
  return reply.status === 200 ? configReply.safeParse(decodeJson(reply.body)).data : undefined
}

/** What keeps this way from being one; absent when the relay itself answers. */
export function routeTrouble(facts: RouteFacts): Finding | undefined {
  const { route, reply } = facts
  if (reply.status === null) return networkTrouble(facts, reply.cause ?? 'other', reply.detail)
  const { status, body } = reply
  const problem = problemOf(reply)
  if (problem && (status >= 500 || status === 429))
    return finding('route.relay_error', { route, status, reason: problem.code })
  if (isRelay(reply)) return undefined
  if (status >= 300 && status < 400) return finding('route.redirect', { route, status })
  return finding(/^\s*</.test(body) ? 'route.page' : 'route.stranger', { route, status })
}

/** Until the tunnel stands nobody but the proxy has been asked; until there is an address, nobody but a name server. */
function whoseFault({ proxy, probe }: RouteFacts, cause: NetworkCause): NetworkCause {
  if (proxy === undefined) return cause === 'timeout' && probe.address === undefined ? 'dns' : cause
  return probe.tcpMs === undefined && (cause === 'timeout' || cause === 'cut') ? 'proxy_unreachable' : cause
}

function networkTrouble(facts: RouteFacts, cause: NetworkCause, detail: string | undefined): Finding {
  const { route, proxy = '?', probe } = facts
  const url = new URL(route)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const { certificate } = probe
  return finding(`route.${whoseFault(facts, cause)}`, {
    route,
    host: hostOf(url),
    port,
    proxy,
    detail: detail || cause,
    issuer: certificate?.issuer ?? '?',
    ...(certificate && { validFromAtMs: certificate.validFromMs, validToAtMs: certificate.validToMs }),
  })
}

function wayFindings({ route, proxy, probe }: RouteFacts): Finding[] {
  const { address, dnsMs, tcpMs } = probe
  if (tcpMs === undefined) return []
  if (proxy !== undefined) return [finding('route.proxy', { route, proxy, tcpMs })]
  return [finding('route.direct', { route, address: address ?? '?', dnsMs: dnsMs ?? 0, tcpMs })]
}

function certificateFindings(route: string, { certificate, tlsMs = 0 }: ProbeFacts, nowMs: number): Finding[] {
  if (!certificate) return []
  const { issuer, validToMs: validToAtMs } = certificate
  const code = validToAtMs < nowMs + ENDING_MS ? 'route.certificate_ending' : 'route.certificate'
  return [finding(code, { route, issuer, validToAtMs, tlsMs })]
}

function largeFinding(route: string, { carriedBytes, tookMs, cut }: LargeFacts): Finding {
  return finding(cut ? 'route.large_cut' : 'route.large', { route, carriedBytes, largeMs: tookMs })
}
