import { describe, expect, test } from 'vitest'
import { errorResponse, problemResponse, RelayError } from '../../relay/problem.ts'
import { PROBLEM_STATUS, type ProblemCode } from '../../shared/problem.ts'

describe('what passes by itself says when to come again', () => {
  const codes = Object.keys(PROBLEM_STATUS) as ProblemCode[]

  test.each(codes)('%s', code => {
    const { status, headers } = problemResponse(code, 'why')
    expect(status).toBe(PROBLEM_STATUS[code])
    expect(headers.get('Content-Type')).toBe('application/problem+json')
    expect(headers.has('Retry-After')).toBe(status === 429 || status === 503)
  })
})

test('a refusal is answered as it is, a restarting object as unavailable, anything else as an error without its text', async () => {
  expect(errorResponse(new RelayError('state_unreadable', 'restore it')).status).toBe(503)
  expect(
    errorResponse(Object.assign(new Error('reset'), { durableObjectReset: true })).headers.get('Retry-After'),
  ).toBe('5')
  const bug = errorResponse(new Error('secret detail'))
  expect(bug.status).toBe(500)
  expect(await bug.text()).not.toContain('secret detail')
})
