import type { Clock } from '../clock.ts'
import type { AgentConfig } from '../config.ts'
import { isLoopback } from '../network/loopback.ts'
import { type Connection, createExchange } from '../relay.ts'
import { VERSION } from '../version.ts'
import type { Check } from './check.ts'
import { tryLarge } from './large.ts'
import { probe } from './probe.ts'
import { judgeRelaySide } from './relay-side.ts'
import { isRelay, type RouteFacts } from './route.ts'

const DEADLINE_MS = 45_000

/** Beside the steps and the answer before it, which take 25 s at most. */
const LARGE_MS = 18_000

/** Every way to the relay: name, connection, TLS, the answer to the host's token, and more than 16 KB. */
export function relayCheck(config: AgentConfig, token: string, connection: Connection, clock: Clock): Check {
  return {
    name: 'relay',
    deadlineMs: DEADLINE_MS,
    async run(signal) {
      const routes = await Promise.all(config.routes.map(route => lookAt(route, token, connection, clock, signal)))
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
      return judgeRelaySide({ routes, hostId: config.hostId, version: VERSION, zone })
    },
  }
}

async function lookAt(
  route: string,
  token: string,
  connection: Connection,
  clock: Clock,
  signal: AbortSignal,
): Promise<RouteFacts> {
  const url = new URL(route)
  const proxy = isLoopback(url.hostname) ? undefined : connection.proxy
  const steps = await probe(url, proxy, clock, AbortSignal.any([signal, AbortSignal.timeout(10_000)]))
  const startedMs = clock.monoMs()
  const startedAtMs = clock.nowMs()
  const reply = await createExchange(connection)({ method: 'GET', route, path: 'v1/config', token, signal })
  const answerMs = clock.monoMs() - startedMs
  const askedAtMs = startedAtMs + answerMs / 2
  const largeSignal = AbortSignal.any([signal, AbortSignal.timeout(LARGE_MS)])
  const large = isRelay(reply) ? await tryLarge(connection, route, clock, largeSignal) : undefined
  return { route, proxy: proxy?.url, probe: steps, reply, answerMs, askedAtMs, large }
}
