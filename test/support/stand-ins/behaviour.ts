import * as z from 'zod'

/** Until when a behaviour holds: for `times` requests, for `forMs`, whichever ends first; for ever without both. */
const until = { times: z.int().min(1).optional(), forMs: z.int().min(1).optional() }

/**
 * How a stand-in is told to fail. Only requests to its write API are affected; `/-/…` always answers.
 *
 * - `ok`: as the real server.
 * - `status`: this answer, nothing stored.
 * - `hang`: no answer until the client goes away or the stand-in ends.
 * - `drop`: the connection ends without an answer, nothing stored.
 * - `drop-after-store`: stores as usual, then ends the connection without an answer (a lost reply).
 * - `slow`: as the real server, `delayMs` later.
 */
export const behaviourSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ok') }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    ...until,
  }),
  z.strictObject({ kind: z.literal('hang'), ...until }),
  z.strictObject({ kind: z.literal('drop'), ...until }),
  z.strictObject({ kind: z.literal('drop-after-store'), ...until }),
  z.strictObject({ kind: z.literal('slow'), delayMs: z.int().min(1).max(600_000), ...until }),
])

export type Behaviour = z.output<typeof behaviourSchema>

const OK: Behaviour = { kind: 'ok' }

export interface BehaviourState {
  readonly behaviour: Behaviour
  readonly sinceMs: number
  readonly used: number
}

export const behaveFrom = (behaviour: Behaviour, nowMs: number): BehaviourState => ({
  behaviour,
  sinceMs: nowMs,
  used: 0,
})

/** What applies to a request that arrives now, and the state after it. */
export function nextBehaviour(state: BehaviourState, nowMs: number): readonly [Behaviour, BehaviourState] {
  const { behaviour, sinceMs, used } = state
  if (behaviour.kind === 'ok') return [OK, state]
  const { times, forMs } = behaviour
  const over = (times !== undefined && used >= times) || (forMs !== undefined && nowMs - sinceMs >= forMs)
  return over ? [OK, behaveFrom(OK, nowMs)] : [behaviour, { ...state, used: used + 1 }]
}
