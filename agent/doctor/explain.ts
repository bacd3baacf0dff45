import type { Clock } from '../clock.ts'
import type { Language } from '../language.ts'
import { isLoopback } from '../network/loopback.ts'
import type { Connection, RelayReply } from '../relay.ts'
import type { NoReply } from '../verdict.ts'
import { type Finding, finding } from './finding.ts'
import { probe } from './probe.ts'
import { routeTrouble } from './route.ts'
import { CATALOGUES } from './text/catalogue.ts'
import { fill } from './text/fill.ts'

const PROBE_MS = 10_000

/** Why an exchange with `route` did not reach a relay, as `doctor` would have it; looks who answers there. */
export async function explainFailure(
  route: string,
  reply: RelayReply | NoReply,
  connection: Connection,
  clock: Clock,
): Promise<Finding> {
  const url = new URL(route)
  const proxy = isLoopback(url.hostname) ? undefined : connection.proxy
  const steps = await probe(url, proxy, clock, AbortSignal.timeout(PROBE_MS))
  const facts = { route, proxy: proxy?.url, probe: steps, reply, answerMs: 0, askedAtMs: clock.nowMs() }
  const status = reply.status ?? 0
  return routeTrouble(facts) ?? finding('route.stranger', { route, status })
}

/** A finding in a few lines: what happened, and what to do next. */
export function sayFinding({ code, params }: Finding, language: Language): string {
  const { findings, words } = CATALOGUES[language]
  const { what, todo } = findings[code]
  return [what, todo].flatMap(text => (text === undefined ? [] : [fill(text, params, { words })])).join('\n')
}

/** The same in English, and in the reader's own language when that is another one. */
export function sayInBoth(found: Finding, language: Language): string {
  const english = sayFinding(found, 'en')
  return language === 'en' ? english : `${english}\n\n${sayFinding(found, language)}`
}
