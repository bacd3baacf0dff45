import type { Problem } from '../../shared/problem.ts'
import { type Finding, finding, type Severity } from './finding.ts'
import { configOf, isRelay, judgeRoute, problemOf, type RouteFacts } from './route.ts'

/** A relay shifts a host's times beyond this (`design.md`, Clock); a second is what its header rounds to. */
const SKEW_MS = 60_000
const ROUNDING_MS = 1_000

export interface RelaySideFacts {
  readonly routes: readonly RouteFacts[]
  readonly hostId: string
  /** Release of this agent. */
  readonly version: string
  /** IANA name of this machine's time zone. */
  readonly zone: string
}

/** All that the ways to the relay show: the ways themselves, the token, the clock, the releases. */
export function judgeRelaySide(facts: RelaySideFacts): Finding[] {
  const { routes } = facts
  const works = routes.find(({ reply }) => isRelay(reply))
  const severity: Severity | undefined = works ? 'warning' : undefined
  return [...routes.flatMap(route => judgeRoute(route, severity)), ...(works ? judgeWorking(works, facts) : [])]
}

function judgeWorking(works: RouteFacts, { hostId, version, zone }: RelaySideFacts): Finding[] {
  const { reply, askedAtMs } = works
  if (reply.status === null) return []
  const config = configOf(reply)
  const problem = problemOf(reply)
  const token = config
    ? finding('token.accepted', { hostId, revision: config.revision })
    : problem && tokenTrouble(problem)
  return [
    ...(token ? [token] : []),
    ...(typeof reply.dateMs === 'number' ? [judgeClock(askedAtMs - reply.dateMs, zone)] : []),
    ...(reply.relayVersion ? [compareReleases(version, reply.relayVersion)] : []),
  ]
}

/** Absent for a problem that says nothing of the token. */
function tokenTrouble({ code, detail, status }: Problem): Finding | undefined {
  if (code === 'host_removed') return finding('token.removed')
  if (code === 'host_disabled') return finding('token.disabled')
  if (code === 'host_cloned') return finding('token.cloned')
  return status === 401 || status === 403 ? finding('token.refused', { reason: `${code}: ${detail}` }) : undefined
}

/** `skewMs`: positive when this machine is ahead. */
export function judgeClock(skewMs: number, zone: string): Finding {
  const size = Math.abs(skewMs)
  if (size <= SKEW_MS + ROUNDING_MS) return finding('clock.right', { skewMs: Math.max(size, ROUNDING_MS), zone })
  return finding(skewMs > 0 ? 'clock.ahead' : 'clock.behind', { skewMs: size, zone })
}

/** By major and minor: a third number is for repairs alone. */
export function compareReleases(agent: string, relay: string): Finding {
  const [ours, theirs] = [numbersOf(agent), numbersOf(relay)]
  const at = ours.findIndex((each, index) => each !== theirs[index])
  if (at < 0) return finding('version.same', { agent })
  return finding((ours[at] ?? 0) < (theirs[at] ?? 0) ? 'version.older' : 'version.newer', { agent, relay })
}

const numbersOf = (version: string): number[] => version.split('.').slice(0, 2).map(Number)
