import { describe, expect, test } from 'vitest'
import { mintHostToken, newSecret, readHostToken } from '../../../relay/auth/token.ts'
import { readKeyring } from '../../../relay/secrets/keyring.ts'
import { RELAY_VERSION } from '../../../relay/version.ts'
import { enrolReply } from '../../../shared/wire.ts'
import { auditOf, setUp } from './fakes.ts'

const MACHINE = { hostname: 'SRV-1C', os: 'Windows Server 2022', version: '0.1.0', machineId: 'machine-1' }

async function withCode(uses = 1, more = {}) {
  const relay = await setUp(more)
  relay.directory.addTenant({ name: 'ООО Ромашка' }, 'root')
  const { body } = await relay.ask(await relay.signIn('admin'), 'POST', '/v1/admin/tenants/ooo-romashka/enrolments', {
    uses,
  })
  const enrol = (change: object = {}) =>
    relay.ask(null, 'POST', '/v1/enrol', { code: body.code, ...MACHINE, ...change })
  return { ...relay, code: String(body.code), enrol, romashka: relay.tenant('ooo-romashka:0') }
}

describe('POST /v1/enrol', () => {
  test('a code gives a token whose secret only the host has', async () => {
    const { enrol, keys, romashka, sql } = await withCode(1, { RELAY_ROUTES: 'https://a.test, https://b.test:8443 ,' })
    const reply = await enrol({ name: 'Склад Южный'.normalize('NFD'), machineId: 'machine-0', unknown: 'ignored' })
    expect(reply.status).toBe(200)
    expect(reply.headers.get('Onec-Relay-Version')).toBe(RELAY_VERSION)
    const { hostId, token, routes } = enrolReply.parse(reply.body)
    expect(routes).toEqual(['https://a.test', 'https://b.test:8443'])

    const reading = await readHostToken(readKeyring(keys), `Bearer ${token}`)
    expect(reading).toMatchObject({ kind: 'ok', token: { tenantId: 'ooo-romashka', shard: 0, hostId } })
    const secretHash = reading.kind === 'ok' ? reading.token.secretHash : ''
    expect(romashka.calls).toEqual([
      [
        'enrol',
        { machineId: 'machine-0', hostname: 'SRV-1C', name: 'Склад Южный', os: 'Windows Server 2022', secretHash },
      ],
    ])
    expect(auditOf(sql).at(-1)).toMatchObject({
      action: 'host.enrol',
      tenant: 'ooo-romashka',
      subject: `${hostId} Склад Южный`,
    })
    expect(JSON.stringify(auditOf(sql))).not.toContain(token.split('.')[5])
  })

  test('a lost answer costs no further use; each token is another', async () => {
    const { enrol } = await withCode()
    const first = await enrol()
    const again = await enrol()
    expect(again).toMatchObject({ status: 200, body: { hostId: first.body.hostId } })
    expect(again.body.token).not.toBe(first.body.token)
    expect(await enrol({ machineId: 'machine-2' })).toMatchObject({
      status: 403,
      body: { code: 'enrolment_code_used' },
    })
  })

  test('a name that is taken does not burn the code: the same machine tries again with another', async () => {
    const { enrol } = await withCode()
    expect(await enrol({ name: 'БУХ-1С' })).toMatchObject({ status: 409, body: { code: 'host_name_taken' } })
    expect(await enrol({ name: 'БУХ-2С' })).toMatchObject({ status: 200 })
  })

  test('codes that are no good ask no tenant', async () => {
    const { clock, enrol, romashka } = await withCode()
    for (const code of ['not-a-code', '0000-0000-0000-0000'])
      expect(await enrol({ code })).toMatchObject({ status: 403, body: { code: 'enrolment_code_invalid' } })
    clock.now += 86_400_000
    expect(await enrol()).toMatchObject({ status: 403, body: { code: 'enrolment_code_expired' } })
    expect(romashka.calls).toEqual([])
  })

  test('a code is taken as people type it', async () => {
    const { code, enrol } = await withCode()
    expect(await enrol({ code: ` ${code.toLowerCase().replaceAll('-', ' ')} ` })).toMatchObject({ status: 200 })
  })

  test('a bad body names the field, and uses no code', async () => {
    const { enrol, sql } = await withCode()
    expect(await enrol({ machineId: 'short' })).toMatchObject({
      status: 422,
      body: { code: 'request_invalid', detail: expect.stringContaining('machineId') },
    })
    expect(await enrol({ hostname: 'x'.repeat(70_000) })).toMatchObject({ status: 413 })
    expect(sql.rows('SELECT uses_left FROM enrolments')).toMatchObject([{ uses_left: 1 }])
  })

  test('a relay that cannot sign uses no code', async () => {
    const { code, env, app, sql } = await withCode()
    const request = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code, ...MACHINE }),
    }
    expect((await app.request('/v1/enrol', request, { ...env, RELAY_KEYS: '' })).status).toBe(503)
    expect(sql.rows('SELECT uses_left FROM enrolments')).toMatchObject([{ uses_left: 1 }])
  })
})

describe('GET /v1/config', () => {
  test('goes to the object that the token names', async () => {
    const { ask, keys, tenant } = await setUp()
    const { secret, secretHash } = await newSecret()
    const token = await mintHostToken(readKeyring(keys), { tenantId: 'ooo-romashka', shard: 3, hostId: 'h1', secret })
    const reply = await ask(token, 'GET', '/v1/config')
    expect(reply).toMatchObject({ status: 200, body: { revision: 1, config: {} } })
    expect(Date.parse(reply.headers.get('Date') ?? '')).toBeGreaterThan(Date.now() - 60_000)
    expect(tenant('ooo-romashka:3').calls).toEqual([['hostConfig', { hostId: 'h1', secretHash }]])
    const forged = token.replace('.h1.', '.h2.')
    expect(await ask(forged, 'GET', '/v1/config')).toMatchObject({ status: 401, body: { code: 'token_invalid' } })
    expect(await ask(null, 'GET', '/v1/config')).toMatchObject({ status: 401, body: { code: 'token_missing' } })
    expect(tenant('ooo-romashka:3').calls).toHaveLength(1)
  })
})

test('other routes under /v1 are left alone', async () => {
  const { ask } = await setUp()
  const reply = await ask(null, 'POST', '/v1/batches', 'x'.repeat(100_000))
  expect(reply.status).toBe(404)
  expect(reply.headers.get('Onec-Relay-Version')).toBeNull()
})
