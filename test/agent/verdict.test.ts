import { describe, expect, it } from 'vitest'
import { judge } from '../../agent/verdict.ts'
import { PROBLEM_STATUS, type ProblemCode, problem } from '../../shared/problem.ts'

const ID = 'q0V1n000000000AA'
const NOW_MS = 1_795_400_000_000
const ack = { id: ID, status: 'stored', nextInMs: 41_250, config: 7 }
const kindOf = (status: number, body: unknown, retryAfter: string | null = null) =>
  judge({ status, retryAfter, body: typeof body === 'string' ? body : JSON.stringify(body) }, ID, NOW_MS)

/** Every problem that the relay may answer, and what it means for a batch. */
const BY_CODE: Partial<Record<ProblemCode, string>> = {
  host_removed: 'removed',
  host_name_taken: 'retry',
  tenant_full: 'retry',
  name_taken: 'retry',
  destination_gone: 'retry',
  replay_unsupported: 'retry',
  dead_letter_unreadable: 'retry',
  not_found: 'retry',
  route_unknown: 'retry',
  method_not_allowed: 'retry',
  backlog_full: 'retry',
  unavailable: 'retry',
  state_unreadable: 'retry',
  internal: 'retry',
}
const BY_STATUS: Record<number, string> = {
  400: 'rejected',
  401: 'suspended',
  403: 'suspended',
  413: 'rejected',
  415: 'rejected',
  422: 'rejected',
}

describe('judge', () => {
  it('takes only an answer that repeats the id as a yes', () => {
    expect(kindOf(200, ack)).toEqual({ kind: 'delivered', ack })
    expect(kindOf(200, { ...ack, status: 'duplicate', later: 1 })).toMatchObject({ kind: 'delivered' })
    const others = [
      { ...ack, id: 'AAAAAAAAAAAAAAAA' },
      { ...ack, nextInMs: -1 },
      '<html>ok</html>',
      '',
      'null',
      {},
      [ack],
    ]
    for (const other of others)
      expect(kindOf(200, other), JSON.stringify(other)).toMatchObject({ kind: 'retry', stranger: true })
    for (const status of [201, 202, 204, 301, 302, 307]) expect(kindOf(status, ack).kind).toBe('retry')
  })

  it.each(Object.keys(PROBLEM_STATUS) as ProblemCode[])('knows what %s means', code => {
    const body = problem(code, 'why')
    const expected = BY_CODE[code] ?? BY_STATUS[body.status]
    expect(kindOf(body.status, body)).toMatchObject({ kind: expected, reason: `${code}: why` })
  })

  it("takes a stranger's refusal for no answer at all", () => {
    for (const status of [400, 401, 403, 404, 407, 410, 413, 415, 422, 429, 500, 502, 503, 504])
      for (const body of ['<html>', { error: 'x' }, { code: 'no_code_of_ours' }])
        expect(kindOf(status, body), `${status}`).toMatchObject({ kind: 'retry', stranger: true })
  })

  it('honours Retry-After up to ten minutes', () => {
    expect(kindOf(429, problem('backlog_full', ''), '30')).toMatchObject({ afterMs: 30_000, stranger: false })
    expect(kindOf(503, '<html>', new Date(NOW_MS + 5_000).toUTCString())).toMatchObject({ afterMs: 5_000 })
    expect(kindOf(503, '<html>', '86400')).toMatchObject({ afterMs: 600_000 })
    expect(kindOf(503, '<html>', 'soon')).not.toHaveProperty('afterMs')
  })

  it('tries every five minutes when it is not let in', () => {
    expect(kindOf(401, problem('token_revoked', ''))).toMatchObject({ kind: 'suspended', afterMs: 300_000 })
  })

  it('keeps a batch that got no answer', () => {
    expect(judge({ status: null, reason: 'ECONNREFUSED' }, ID, NOW_MS)).toEqual({
      kind: 'retry',
      reason: 'ECONNREFUSED',
      stranger: true,
    })
  })
})
