/**
 * Every refusal that the relay answers, as RFC 9457 problem details. A `code` is stable: agents and scripts decide by
 * it, never by `detail`. Agents treat an answer without one of these codes as a stranger's (a proxy, a captive portal).
 */
export const PROBLEM_STATUS = {
  // who are you
  token_missing: 401,
  token_invalid: 401,
  token_revoked: 401,
  host_unknown: 403,
  host_disabled: 403,
  host_cloned: 403,
  host_removed: 410,
  operator_forbidden: 403,
  // what did you send
  body_too_large: 413,
  inflated_too_large: 413,
  content_type_unsupported: 415,
  encoding_unsupported: 415,
  gzip_invalid: 400,
  json_invalid: 400,
  version_unsupported: 400,
  metric_name_invalid: 422,
  metric_name_reserved: 422,
  label_invalid: 422,
  label_reserved: 422,
  value_not_finite: 422,
  too_many_snapshots: 422,
  too_many_series: 422,
  too_many_entries: 422,
  entry_too_long: 422,
  batch_invalid: 422,
  // enrolment and administration
  request_invalid: 422,
  enrolment_code_invalid: 403,
  enrolment_code_expired: 403,
  enrolment_code_used: 403,
  host_name_taken: 409,
  tenant_full: 409,
  name_taken: 409,
  not_found: 404,
  route_unknown: 404,
  method_not_allowed: 405,
  destination_refused: 422,
  destination_gone: 409,
  replay_unsupported: 409,
  dead_letter_unreadable: 409,
  // not now
  backlog_full: 429,
  unavailable: 503,
  state_unreadable: 503,
  internal: 500,
} as const

export type ProblemCode = keyof typeof PROBLEM_STATUS

/** Body of `application/problem+json`. `type` is `about:blank` as RFC 9457, 4.2.1 has it when `code` says it all. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  /** What happened and what to do next, in plain words, with no secret in it. */
  readonly detail: string
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

export function problem(code: ProblemCode, detail: string): Problem {
  return { type: 'about:blank', title: code.replaceAll('_', ' '), status: PROBLEM_STATUS[code], code, detail }
}

/** The problem in a decoded JSON body, if it is one of ours. */
export function asProblem(body: unknown): Problem | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { code, detail } = body as { code?: unknown; detail?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(PROBLEM_STATUS, code)) return undefined
  return problem(code as ProblemCode, typeof detail === 'string' ? detail : '')
}
