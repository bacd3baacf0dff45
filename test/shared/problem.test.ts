import { expect, test } from 'vitest'
import { asProblem, PROBLEM_STATUS, type ProblemCode, problem } from '../../shared/problem.ts'

const CODES = Object.keys(PROBLEM_STATUS) as ProblemCode[]

test.each(CODES)('%s reads back from its own body', code => {
  const said = problem(code, 'Диск переполнен')
  expect(said).toMatchObject({ type: 'about:blank', status: PROBLEM_STATUS[code], code })
  expect(asProblem(JSON.parse(JSON.stringify(said)))).toEqual(said)
})

test('every status is an error that the agent’s answer table knows', () => {
  for (const status of Object.values(PROBLEM_STATUS))
    expect([400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503]).toContain(status)
  expect(
    CODES.filter(code => PROBLEM_STATUS[code] === 410),
    'only one code erases a spool',
  ).toEqual(['host_removed'])
})

test.each([
  ['a page', '<html>'],
  ['nothing', null],
  ['a list', []],
  ['no code', { status: 410 }],
  ['a stranger’s code', { code: 'gone' }],
  ['a name that every object has', { code: 'constructor' }],
  ['a code that is no text', { code: 410 }],
])('%s is no problem of ours', (_, body) => {
  expect(asProblem(body)).toBeUndefined()
})

test('a body without detail is still a problem; its status is the code’s own', () => {
  expect(asProblem({ code: 'host_removed', status: 200 })).toMatchObject({ status: 410, detail: '' })
})
