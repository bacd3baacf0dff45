import type { Clock } from '../clock.ts'
import type { Connection } from '../relay.ts'
import { createExchange } from '../relay.ts'
import type { LargeFacts } from './route.ts'

/** Some providers cut after 16 KB; with a handshake of 3 KB or more this is well beyond. */
const ENOUGH_BYTES = 24 * 1024

/** Below what a web server in between takes as the first line of a request. */
const PATH_CHARS = 4_000

const HEADER_BYTES = 300

/** One that comes this late was not slowed down but stopped. */
const STALLED_MS = 6_000

/**
 * Whether one connection carries more than 16 KB: asks for pages that are not there, as the relay's answer repeats the
 * path that was asked for. Without a token, so that it changes nothing at the relay: no row, no counter, no object.
 */
export async function tryLarge(
  connection: Connection,
  route: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<LargeFacts | undefined> {
  const exchange = createExchange({ ...connection, maxBytes: Number.POSITIVE_INFINITY })
  const path = `v1/doctor-${'x'.repeat(PATH_CHARS)}`
  const startedMs = clock.monoMs()
  let carriedBytes = 0
  while (carriedBytes < ENOUGH_BYTES) {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)])
    const reply = await exchange({ method: 'GET', route, path, signal: bounded })
    if (signal.aborted) return undefined
    if (reply.status === null) {
      // The first one failing says nothing of size.
      return carriedBytes === 0 ? undefined : { carriedBytes, tookMs: clock.monoMs() - startedMs, cut: true }
    }
    // Something in between answers by itself: nothing is learnt by more of it.
    if (reply.body.length < PATH_CHARS) return undefined
    carriedBytes += reply.body.length + HEADER_BYTES
  }
  return { carriedBytes, tookMs: clock.monoMs() - startedMs, cut: false }
}
