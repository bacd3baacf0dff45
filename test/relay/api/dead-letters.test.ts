import { expect, test } from 'vitest'
import { auditOf, setUp } from './fakes.ts'

const LETTERS = '/v1/admin/tenants/ooo-romashka/dead-letters'

async function withTenant() {
  const relay = await setUp()
  relay.directory.addTenant({ name: 'ООО Ромашка' }, 'root')
  const token = await relay.signIn('operator')
  const { calls } = relay.tenant('ooo-romashka:0')
  return {
    ...relay,
    calls,
    ask: (method: string, path: string, body?: unknown) => relay.ask(token, method, path, body),
  }
}

test.each([
  ['', 100, {}],
  ['?limit=7&destination=%D0%9B%D0%BE%D0%B3%D0%B8', 7, { destination: 'Логи' }],
  // A combining breve: the name is asked for as names are stored.
  [`?host=${encodeURIComponent('Сергеи\u0306')}`, 100, { host: 'Сергей' }],
])('a list with "%s" asks for %i and %j', async (query, ...asked) => {
  const { ask, calls } = await withTenant()
  expect(await ask('GET', LETTERS + query)).toMatchObject({ status: 200, body: { deadLetters: [] } })
  expect(calls).toEqual([['deadLetters', ...asked]])
})

test.each([
  ['nothing', {}, '"ids", "destination", "host"'],
  ['nothing at all', undefined, '"ids", "destination", "host"'],
  ['all and something', { all: true, destination: 'Логи' }, '"all": true alone'],
  ['not all', { all: false }, 'all:'],
  ['no ids', { ids: [] }, 'ids:'],
  ['ids that are none', { ids: ['7'] }, 'ids.0:'],
  ['too many ids', { ids: Array.from({ length: 1_001 }, (_, index) => index + 1) }, 'ids:'],
  ['an empty name', { host: '' }, 'host:'],
  ['an unknown selector', { tenant: 'ooo-lyutik' }, '"tenant"'],
])('%s is no selection', async (_, body, said) => {
  const { ask, calls } = await withTenant()
  for (const verb of ['replay', 'drop'])
    expect(await ask('POST', `${LETTERS}/${verb}`, body)).toMatchObject({
      status: 422,
      body: { code: 'request_invalid', detail: expect.stringContaining(said) },
    })
  expect(calls).toEqual([])
})

test.each(['x', '0', '-1', '1.5'])('"%s" is no number of a letter', async id => {
  const { ask, calls } = await withTenant()
  for (const [method, path] of [
    ['GET', id],
    ['DELETE', id],
    ['POST', `${id}/replay`],
  ])
    expect(await ask(method ?? '', `${LETTERS}/${path}`)).toMatchObject({
      status: 422,
      body: { code: 'request_invalid' },
    })
  expect(calls).toEqual([])
})

test('the audit log says what was meant, in a line', async () => {
  const { ask, sql } = await withTenant()
  const ids = Array.from({ length: 11 }, (_, index) => index + 20)
  await ask('POST', `${LETTERS}/replay`, { ids: [7, 9], host: 'БУХ-1С' })
  await ask('POST', `${LETTERS}/replay`, { ids, destination: 'Логи' })
  await ask('POST', `${LETTERS}/drop`, { all: true })
  expect(await ask('DELETE', `${LETTERS}/8`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(
    auditOf(sql)
      .slice(1)
      .map(({ action, subject }) => `${action}: ${subject}`),
  ).toEqual([
    'dead-letter.replay: 7 9, host БУХ-1С',
    'dead-letter.replay: 11 by id, destination Логи',
    'dead-letter.drop: all',
  ])
})
