import { PROBLEM_CONTENT_TYPE, PROBLEM_STATUS, type ProblemCode, problem } from '../shared/problem.ts'

/** A refusal on its way to the caller: `message` is public text, the rich reason is in `cause`. */
export class RelayError extends Error {
  readonly code: ProblemCode

  constructor(code: ProblemCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RelayError'
    this.code = code
  }
}

/** Seconds after which it is worth coming again, for what passes by itself. */
const RETRY_AFTER_S: Partial<Record<ProblemCode, number>> = { unavailable: 5, backlog_full: 30, state_unreadable: 60 }

/** The RFC 9457 answer for `code`; `detail` says what happened and what to do next, with no secret in it. */
export function problemResponse(code: ProblemCode, detail: string): Response {
  const retryAfterS = RETRY_AFTER_S[code]
  return new Response(JSON.stringify(problem(code, detail)), {
    status: PROBLEM_STATUS[code],
    headers: {
      'Content-Type': PROBLEM_CONTENT_TYPE,
      'Cache-Control': 'no-store',
      ...(retryAfterS !== undefined && { 'Retry-After': String(retryAfterS) }),
    },
  })
}

/**
 * What is answered when a handler throws. A refusal is answered as it is, an object that is moving or overloaded as
 * `unavailable`; anything else is a bug: the log has it whole, the caller only that it happened.
 */
export function errorResponse(error: unknown): Response {
  const refusal = asRefusal(error)
  if (refusal) return problemResponse(refusal.code, refusal.message)
  if (isPassing(error)) return problemResponse('unavailable', 'The relay is moving or busy. Try again in a moment.')
  console.error('unexpected error', error)
  return problemResponse('internal', 'The relay failed unexpectedly; its log says why. Try again later.')
}

/** A `RelayError` of ours, or one that crossed an RPC hop: its class is lost there, its own fields may not be. */
function asRefusal(error: unknown): { code: ProblemCode; message: string } | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  if (!Object.hasOwn(PROBLEM_STATUS, error.code)) return undefined
  return { code: error.code as ProblemCode, message: error.message.replace(/^RelayError: /, '') }
}

/** Flags that the runtime puts on errors of an object's stub (restarts, deploys, overload). */
function isPassing(error: unknown): boolean {
  const flags = error as { retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown } | null | undefined
  return flags?.retryable === true || flags?.overloaded === true || flags?.durableObjectReset === true
}
