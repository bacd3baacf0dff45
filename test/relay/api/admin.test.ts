import { describe, expect, test } from 'vitest'
import { mintOperatorToken } from '../../../relay/auth/token.ts'
import { readKeyring } from '../../../relay/secrets/keyring.ts'
import { RELAY_VERSION } from '../../../relay/version.ts'
import { auditOf, COUNTS, DEAD_LETTER, DESTINATION, NOW, setUp } from './fakes.ts'

const ROMASHKA = '/v1/admin/tenants/ooo-romashka'
const LOKI = `${ROMASHKA}/destinations/${encodeURIComponent('Логи')}`
const LETTERS = `${ROMASHKA}/dead-letters`
const HOST = `${ROMASHKA}/hosts/${encodeURIComponent('БУХ-1С')}`

async function withTenants() {
  const relay = await setUp()
  relay.directory.addTenant({ name: 'ООО Ромашка' }, 'root')
  relay.directory.addTenant({ name: 'ООО Лютик' }, 'root')
  return relay
}

/** Every route that changes something, and what a tenant's object is asked; `null`: only the directory is. */
const CHANGES: [method: string, path: string, body: unknown, asked: unknown[] | null, action: string][] = [
  ['POST', `${ROMASHKA}/enrolments`, {}, null, 'enrolment.add'],
  ['DELETE', HOST, undefined, ['removeHost', 'БУХ-1С'], 'host.remove'],
  ['PUT', `${HOST}/config`, { intervalMs: 5000 }, ['setHostConfig', 'БУХ-1С', { intervalMs: 5000 }], 'host.configure'],
  [
    'POST',
    `${ROMASHKA}/destinations`,
    { name: 'Метрики', sink: 'remote-write', settings: { url: 'https://x.test', password: 'секрет' } },
    [
      'addDestination',
      { name: 'Метрики', sink: 'remote-write', settings: { url: 'https://x.test', password: 'секрет' } },
    ],
    'destination.add',
  ],
  [
    'PATCH',
    LOKI,
    { settings: { user: null } },
    ['editDestination', 'Логи', { settings: { user: null } }],
    'destination.edit',
  ],
  [
    'PATCH',
    LOKI,
    { budget: { ageMs: 60_000, bytes: null } },
    ['editDestination', 'Логи', { budget: { ageMs: 60_000, bytes: null } }],
    'destination.edit',
  ],
  ['DELETE', LOKI, undefined, ['removeDestination', 'Логи'], 'destination.remove'],
  ['POST', `${LOKI}/test`, undefined, ['testDestination', 'Логи'], 'destination.test'],
  ['POST', `${LOKI}/suspend`, undefined, ['suspendDestination', 'Логи'], 'destination.suspend'],
  ['POST', `${LOKI}/resume`, undefined, ['resumeDestination', 'Логи'], 'destination.resume'],
  ['POST', `${LETTERS}/7/replay`, undefined, ['replayDeadLetters', { ids: [7] }], 'dead-letter.replay'],
  ['DELETE', `${LETTERS}/7`, undefined, ['dropDeadLetters', { ids: [7] }], 'dead-letter.drop'],
  ['POST', `${LETTERS}/replay`, { all: true }, ['replayDeadLetters', { all: true }], 'dead-letter.replay'],
  [
    'POST',
    `${LETTERS}/drop`,
    { destination: 'Логи', host: 'БУХ-1С', ids: [7, 9] },
    ['dropDeadLetters', { destination: 'Логи', host: 'БУХ-1С', ids: [7, 9] }],
    'dead-letter.drop',
  ],
]

const READS: [path: string, body: unknown][] = [
  [`${ROMASHKA}/enrolments`, { enrolments: [] }],
  [`${ROMASHKA}/hosts`, { hosts: [] }],
  [HOST, { id: 'bukh-1s', name: 'БУХ-1С' }],
  [`${ROMASHKA}/destinations`, { destinations: [DESTINATION] }],
  [`${ROMASHKA}/events?limit=5`, { events: [] }],
  [LETTERS, { deadLetters: [] }],
  [`${LETTERS}/7`, DEAD_LETTER],
]

describe('tokens', () => {
  test('without a good one nothing is asked', async () => {
    const { ask, directory, keys, tenant } = await setUp()
    directory.addTenant({ name: 'ООО Ромашка' }, 'root')
    const { token } = await mintOperatorToken(readKeyring(keys), 'nobody')
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`
    for (const [sent, code] of [
      [null, 'token_missing'],
      ['x', 'token_invalid'],
      [forged, 'token_invalid'],
      [token, 'token_revoked'],
    ] as const) {
      const reply = await ask(sent, 'GET', `${ROMASHKA}/hosts`)
      expect(reply).toMatchObject({ status: 401, body: { code, status: 401, type: 'about:blank' } })
      expect(reply.headers.get('Content-Type')).toBe('application/problem+json')
      expect(reply.headers.get('Onec-Relay-Version')).toBe(RELAY_VERSION)
    }
    expect(tenant('ooo-romashka:0').calls).toEqual([])
  })

  test('a relay without its keyring says so', async () => {
    const { ask } = await setUp({ RELAY_KEYS: '{}' })
    const reply = await ask('x', 'GET', '/v1/admin/tenants')
    expect(reply).toMatchObject({
      status: 503,
      body: { code: 'unavailable', detail: expect.stringContaining('RELAY_KEYS') },
    })
    expect(reply.headers.get('Onec-Relay-Version')).toBe(RELAY_VERSION)
  })
})

describe('roles', () => {
  test.each(READS)('a viewer may GET %s', async (path, body) => {
    const { ask, signIn } = await withTenants()
    const reply = await ask(await signIn('viewer', ['ooo-romashka']), 'GET', path)
    expect(reply).toMatchObject({ status: 200, body })
    expect(reply.headers.get('Onec-Relay-Version')).toBe(RELAY_VERSION)
    expect(reply.headers.get('Cache-Control')).toBe('no-store')
  })

  test.each(CHANGES)('a viewer may not %s %s', async (method, path, body) => {
    const { ask, signIn, sql, tenant } = await withTenants()
    const before = auditOf(sql)
    expect(await ask(await signIn('viewer'), method, path, body)).toMatchObject({
      status: 403,
      body: { code: 'operator_forbidden' },
    })
    expect(tenant('ooo-romashka:0').calls).toEqual([])
    expect(auditOf(sql)).toEqual(before)
  })

  test.each(CHANGES)('an operator may %s %s within its tenants, audited', async (method, path, body, asked, action) => {
    const { ask, signIn, sql, tenant } = await withTenants()
    const before = auditOf(sql).length
    const reply = await ask(await signIn('operator', ['ooo-romashka']), method, path, body)
    expect([200, 201]).toContain(reply.status)
    expect(tenant('ooo-romashka:0').calls).toEqual(asked ? [asked] : [])
    expect(auditOf(sql).slice(before)).toEqual([
      {
        by: 'operator',
        action,
        tenant: 'ooo-romashka',
        subject: expect.stringMatching(/БУХ-1С|Логи|Метрики|^\w{4}$|^(7|all)$/),
      },
    ])
    expect(JSON.stringify([auditOf(sql), reply.body])).not.toContain('секрет')
  })

  test.each(CHANGES)('nobody may %s %s in a tenant that is not his: it is not there', async (method, path, body) => {
    const { ask, signIn, tenant } = await withTenants()
    const hidden = await ask(await signIn('admin', ['ooo-lyutik']), method, path, body)
    expect(hidden).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(tenant('ooo-romashka:0').calls).toEqual([])
    const unknown = await ask(await signIn('admin'), method, path.replace('ooo-romashka', 'nobody'), body)
    expect(unknown.body).toEqual(hidden.body)
  })

  test('only an admin of all tenants adds one', async () => {
    const { ask, signIn } = await setUp()
    for (const token of [await signIn('viewer'), await signIn('operator'), await signIn('admin', [])])
      expect(await ask(token, 'POST', '/v1/admin/tenants', { name: 'X' })).toMatchObject({
        status: 403,
        body: { code: 'operator_forbidden' },
      })
    expect(await ask(await signIn('admin'), 'POST', '/v1/admin/tenants', { name: 'X' })).toMatchObject({ status: 201 })
  })
})

describe('tenants', () => {
  test('one that is added gets its object', async () => {
    const { ask, signIn, sql, tenant } = await setUp()
    const token = await signIn('admin')
    const added = await ask(token, 'POST', '/v1/admin/tenants', { name: '  ООО Ромашка ' })
    const romashka = { id: 'ooo-romashka', name: 'ООО Ромашка' }
    expect(added).toMatchObject({ status: 201, body: { ...romashka, createdAtMs: NOW } })
    expect(tenant('ooo-romashka:0').calls).toEqual([['init', romashka]])
    expect(auditOf(sql)).toEqual([
      { by: 'admin', action: 'tenant.add', tenant: 'ooo-romashka', subject: 'ООО Ромашка' },
    ])
  })

  test('adding it again is refused, and completes a first try that broke off', async () => {
    const { ask, signIn, tenant } = await setUp()
    const token = await signIn('admin')
    tenant('ooo-romashka:0').failure = new Error('connection lost')
    const body = { name: 'ООО Ромашка' }
    expect(await ask(token, 'POST', '/v1/admin/tenants', body)).toMatchObject({
      status: 500,
      body: { code: 'internal' },
    })
    tenant('ooo-romashka:0').failure = undefined
    expect(await ask(token, 'POST', '/v1/admin/tenants', body)).toMatchObject({
      status: 409,
      body: { code: 'name_taken' },
    })
    expect(tenant('ooo-romashka:0').calls).toHaveLength(2)
  })

  test('are listed with their hosts, as far as the operator sees them; one that does not answer hides no other', async () => {
    const { ask, signIn, tenant } = await withTenants()
    tenant('ooo-lyutik:0').failure = new Error('connection lost')
    const all = await ask(await signIn('viewer'), 'GET', '/v1/admin/tenants')
    expect(all).toMatchObject({
      status: 200,
      body: {
        tenants: [
          { id: 'ooo-lyutik', hosts: null },
          { id: 'ooo-romashka', name: 'ООО Ромашка', hosts: COUNTS },
        ],
      },
    })
    const some = await ask(await signIn('operator', ['ooo-romashka']), 'GET', '/v1/admin/tenants')
    expect(some.body).toMatchObject({ tenants: [{ id: 'ooo-romashka' }] })
    expect((some.body.tenants as unknown[]).length).toBe(1)
  })

  test('are found by name, however odd and in whichever Unicode form', async () => {
    const { ask, directory, signIn, tenant } = await setUp()
    const token = await signIn('viewer')
    for (const name of ['ООО Ромашка', 'Южный', 'А/Б & 50% #1?', '100%']) {
      const added = directory.addTenant({ name }, 'root')
      const id = added.ok ? added.value.id : ''
      const path = `/v1/admin/tenants/${encodeURIComponent(name.normalize('NFD'))}/hosts`
      expect(await ask(token, 'GET', path), name).toMatchObject({ status: 200 })
      expect(tenant(`${id}:0`).calls).toEqual([['hosts']])
    }
  })
})

test('hosts and destinations are asked for as their names are stored', async () => {
  const { ask, signIn, tenant } = await withTenants()
  const token = await signIn('operator')
  const typed = encodeURIComponent('Склад Южный'.normalize('NFD'))
  await ask(token, 'GET', `${ROMASHKA}/hosts/${typed}`)
  await ask(token, 'PATCH', `${ROMASHKA}/destinations/${typed}`, { name: 'Ёлка'.normalize('NFD') })
  expect(tenant('ooo-romashka:0').calls).toEqual([
    ['host', 'Склад Южный'],
    ['editDestination', 'Склад Южный', { name: 'Ёлка' }],
  ])
})

describe('enrolments', () => {
  test('the code is shown once, and kept as a hash', async () => {
    const { ask, signIn, sql } = await withTenants()
    const token = await signIn('operator')
    const note = 'для Анны'
    const added = await ask(token, 'POST', `${ROMASHKA}/enrolments`, { uses: 3, expiresInMs: 60_000, note })
    const { code, hint } = added.body as { code: string; hint: string }
    expect(code).toMatch(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/)
    expect(added).toMatchObject({ status: 201, body: { hint, usesLeft: 3, expiresAtMs: NOW + 60_000, note } })
    const listed = await ask(token, 'GET', `${ROMASHKA}/enrolments`)
    expect(listed.body).toEqual({
      enrolments: [{ hint: code.slice(0, 4), usesLeft: 3, expiresAtMs: NOW + 60_000, createdAtMs: NOW, note }],
    })
    const stored = JSON.stringify(sql.rows('SELECT * FROM enrolments'))
    expect(stored).not.toContain(code.slice(5))
    expect(stored).not.toContain(code.replaceAll('-', ''))
  })

  test('one use for a day when nothing is said, with or without a body', async () => {
    const { ask, signIn } = await withTenants()
    for (const body of [undefined, {}])
      expect(await ask(await signIn('operator'), 'POST', `${ROMASHKA}/enrolments`, body)).toMatchObject({
        status: 201,
        body: { usesLeft: 1, expiresAtMs: NOW + 86_400_000, note: null },
      })
  })
})

describe('bodies', () => {
  const bad: [path: string, method: string, body: unknown, code: string, place: string][] = [
    ['/v1/admin/tenants', 'POST', {}, 'request_invalid', 'name'],
    ['/v1/admin/tenants', 'POST', { name: '' }, 'request_invalid', 'name'],
    ['/v1/admin/tenants', 'POST', { name: 'x', id: 'Ромашка' }, 'request_invalid', 'id'],
    ['/v1/admin/tenants', 'POST', { name: 'x', idd: 'y' }, 'request_invalid', 'idd'],
    ['/v1/admin/tenants', 'POST', [], 'request_invalid', 'The body'],
    ['/v1/admin/tenants', 'POST', '{"name": "секрет', 'json_invalid', 'JSON'],
    [`${ROMASHKA}/enrolments`, 'POST', { uses: 0 }, 'request_invalid', 'uses'],
    [`${ROMASHKA}/enrolments`, 'POST', { expiresInMs: 1 }, 'request_invalid', 'expiresInMs'],
    [`${ROMASHKA}/destinations`, 'POST', { name: 'x', sink: '../x', settings: {} }, 'request_invalid', 'sink'],
    [
      `${ROMASHKA}/destinations`,
      'POST',
      { name: 'x', sink: 'loki', settings: 'секрет' },
      'request_invalid',
      'settings',
    ],
    [LOKI, 'PATCH', {}, 'request_invalid', 'name'],
    [LOKI, 'PATCH', { budget: { ageMs: 59_999 } }, 'request_invalid', 'budget.ageMs'],
    [LOKI, 'PATCH', { budget: { ageMs: 7 * 86_400_000 + 1 } }, 'request_invalid', 'budget.ageMs'],
    [LOKI, 'PATCH', { budget: { bytes: 65_535 } }, 'request_invalid', 'budget.bytes'],
    [LOKI, 'PATCH', { budget: { bytes: 1024 ** 3 + 1 } }, 'request_invalid', 'budget.bytes'],
    [LOKI, 'PATCH', { budget: { bytes: 1e5 + 0.5 } }, 'request_invalid', 'budget.bytes'],
    [LOKI, 'PATCH', { budget: { size: 65_536 } }, 'request_invalid', 'budget'],
    [
      `${ROMASHKA}/destinations`,
      'POST',
      { name: 'x', sink: 'loki', settings: {}, budget: { ageMs: null } },
      'request_invalid',
      'budget.ageMs',
    ],
    [LOKI, 'PATCH', { sink: 'loki' }, 'request_invalid', 'sink'],
    [`${HOST}/config`, 'PUT', { intervalMs: 10 }, 'request_invalid', 'intervalMs'],
    [`${HOST}/config`, 'PUT', { interval: 5000 }, 'request_invalid', 'interval'],
    [`${HOST}/config`, 'PUT', { labels: { host: 'x' } }, 'request_invalid', 'labels.host'],
    [`${HOST}/config`, 'PUT', { backups: [{ name: 'ut11', maxAge: 1 }] }, 'request_invalid', 'backups.0.maxAge'],
    [
      `${HOST}/config`,
      'PUT',
      { logFiles: [{ path: 'x', encoding: 'koi8' }] },
      'request_invalid',
      'logFiles.0.encoding',
    ],
    [`${HOST}/config`, 'PUT', '{"__proto__": {"intervalMs": 5000}}', 'request_invalid', '__proto__'],
  ]

  test.each(bad)('%s %s %j → %s naming %s', async (path, method, body, code, place) => {
    const { ask, signIn, tenant } = await withTenants()
    const reply = await ask(await signIn('admin'), method, path, body)
    expect(reply.body).toMatchObject({ code, detail: expect.stringContaining(place) })
    expect(reply.body.detail).not.toContain('секрет')
    expect(tenant('ooo-romashka:0').calls).toEqual([])
  })

  test('the ends of what a budget can be are taken', async () => {
    const { ask, signIn, tenant } = await withTenants()
    const token = await signIn('operator')
    const least = { ageMs: 60_000, bytes: 64 * 1024 }
    const most = { ageMs: 7 * 86_400_000, bytes: 1024 ** 3 }
    const input = { name: 'x', sink: 'loki', settings: {}, budget: least }
    expect(await ask(token, 'POST', `${ROMASHKA}/destinations`, input)).toMatchObject({ status: 201 })
    expect(await ask(token, 'PATCH', LOKI, { budget: most })).toMatchObject({ status: 200 })
    expect(tenant('ooo-romashka:0').calls).toEqual([
      ['addDestination', input],
      ['editDestination', 'Логи', { budget: most }],
    ])
  })

  test('64 KB are read, one byte more is not', async () => {
    const { ask, signIn } = await withTenants()
    const token = await signIn('operator')
    const sized = (bytes: number) => {
      const frame = JSON.stringify({ name: 'x', sink: 'loki', settings: { a: '' } })
      return frame.replace('""', `"${'a'.repeat(bytes - frame.length)}"`)
    }
    expect(await ask(token, 'POST', `${ROMASHKA}/destinations`, sized(64 * 1024))).toMatchObject({ status: 201 })
    expect(await ask(token, 'POST', `${ROMASHKA}/destinations`, sized(64 * 1024 + 1))).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    })
  })

  test('what is not said to be JSON is not read', async () => {
    const { app, env, signIn } = await withTenants()
    const headers = { Authorization: `Bearer ${await signIn('admin')}`, 'Content-Type': 'text/plain' }
    const reply = await app.request('/v1/admin/tenants', { method: 'POST', headers, body: '{"name":"x"}' }, env)
    expect(await reply.json()).toMatchObject({ code: 'content_type_unsupported', status: 415 })
  })

  test.each([
    ['?limit=5', 5],
    ['', 100],
    ['?limit=1000', 1000],
  ])('a list with "%s" asks for %i', async (query, limit) => {
    const { ask, signIn, tenant } = await withTenants()
    await ask(await signIn('viewer'), 'GET', `${ROMASHKA}/events${query}`)
    expect(tenant('ooo-romashka:0').calls).toEqual([['events', limit]])
  })

  test.each(['?limit=0', '?limit=1001', '?limit=x'])('a list with "%s" is refused', async query => {
    const { ask, signIn } = await withTenants()
    expect(await ask(await signIn('viewer'), 'GET', `${ROMASHKA}/dead-letters${query}`)).toMatchObject({
      status: 422,
      body: { code: 'request_invalid', detail: expect.stringContaining('limit') },
    })
  })
})

describe('what a tenant’s object says', () => {
  test('a refusal is passed on, and not audited', async () => {
    const { ask, signIn, sql } = await withTenants()
    const token = await signIn('operator')
    const before = auditOf(sql)
    expect(await ask(token, 'GET', `${ROMASHKA}/hosts/nobody`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    })
    expect(await ask(token, 'DELETE', `${ROMASHKA}/hosts/nobody`)).toMatchObject({ status: 404 })
    const taken = { name: 'Логи', sink: 'loki', settings: {} }
    expect(await ask(token, 'POST', `${ROMASHKA}/destinations`, taken)).toMatchObject({
      status: 409,
      body: { code: 'name_taken' },
    })
    expect(auditOf(sql)).toEqual(before)
  })

  test.each([
    [Object.assign(new Error('object moved'), { retryable: true }), 503, 'unavailable'],
    [Object.assign(new Error('too busy'), { overloaded: true }), 503, 'unavailable'],
    [Object.assign(new Error('RelayError: not readable'), { code: 'state_unreadable' }), 503, 'state_unreadable'],
    [Object.assign(new Error('секрет'), { code: 'ECONNRESET' }), 500, 'internal'],
  ])('%o is answered without its words, unless they are for the caller', async (failure, status, code) => {
    const { ask, signIn, tenant } = await withTenants()
    tenant('ooo-romashka:0').failure = failure
    const reply = await ask(await signIn('viewer'), 'GET', `${ROMASHKA}/hosts`)
    expect(reply).toMatchObject({ status, body: { code } })
    expect(reply.body.detail).not.toMatch(/секрет|RelayError/)
  })
})
