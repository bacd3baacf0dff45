import { describe, expect, test } from 'vitest'
import { MAX_AUDIT_ENTRIES } from '../../../relay/directory/audit.ts'
import { type Directory, openDirectory } from '../../../relay/directory/directory.ts'
import type { Sql } from '../../../relay/directory/sql.ts'
import { nodeSql } from './node-sql.ts'

const NOW = 1_795_408_705_854
const ROOT_HASH = 'a'.repeat(64)
const CODE_HASH = 'c'.repeat(64)

function setUp(sql: Sql = nodeSql()) {
  const clock = { now: NOW }
  const directory = openDirectory(sql, ROOT_HASH, () => clock.now)
  return { sql, clock, directory }
}

function addCode(directory: Directory, tenantId: string, more: Partial<{ uses: number; codeHash: string }> = {}) {
  const code = { tenantId, codeHash: CODE_HASH, hint: '7K2M', uses: 1, expiresAtMs: NOW + 60_000, note: null, ...more }
  return directory.addEnrolment(code, 'root')
}

const auditOf = (sql: Sql) => sql.rows('SELECT by, action, tenant_id, subject FROM audit ORDER BY id')

describe('tenants', () => {
  test('are found by id and by name, in any script', () => {
    const { directory } = setUp()
    const added = directory.addTenant({ name: 'ООО Ромашка' }, 'root')
    const romashka = { id: 'ooo-romashka', name: 'ООО Ромашка', createdAtMs: NOW }
    expect(added).toEqual({ ok: true, value: romashka })
    expect(directory.tenant('ooo-romashka')).toEqual(added)
    expect(directory.tenant('ООО Ромашка')).toEqual(added)
    expect(directory.tenants()).toEqual([romashka])
    expect(directory.tenant('ооо ромашка')).toMatchObject({ ok: false, code: 'not_found' })
  })

  test('names are unique, whatever their Unicode form; ids get a number', () => {
    const { directory } = setUp()
    directory.addTenant({ name: 'Склад Южный' }, 'root')
    expect(directory.addTenant({ name: 'Склад Южный'.normalize('NFD') }, 'root')).toMatchObject({ code: 'name_taken' })
    expect(directory.addTenant({ name: 'склад южный' }, 'root')).toMatchObject({ value: { id: 'sklad-yuzhnyy-2' } })
    expect(directory.addTenant({ name: 'Склад-Южный' }, 'root')).toMatchObject({ value: { id: 'sklad-yuzhnyy-3' } })
  })

  test('no id is ever another tenant’s name', () => {
    const { directory } = setUp()
    directory.addTenant({ name: 'Demo', id: 'demo' }, 'root')
    expect(directory.addTenant({ name: 'demo' }, 'root')).toMatchObject({ code: 'name_taken' })
    directory.addTenant({ name: 'test', id: 'first' }, 'root')
    expect(directory.addTenant({ name: 'Test' }, 'root')).toMatchObject({ value: { id: 'test-2' } })
    expect(directory.addTenant({ name: 'Other', id: 'first' }, 'root')).toMatchObject({ code: 'name_taken' })
  })

  test('an id that could not be in a token is refused', () => {
    const { directory } = setUp()
    for (const id of ['', 'Demo', '-demo', 'a.b', 'a'.repeat(33), 'демо'])
      expect(directory.addTenant({ name: `x ${id}`, id }, 'root')).toMatchObject({ code: 'request_invalid' })
  })
})

describe('enrolment codes', () => {
  test('a use is taken once per machine', () => {
    const { directory } = setUp()
    const { id } = unwrap(directory.addTenant({ name: 'ООО Ромашка' }, 'root'))
    addCode(directory, id, { uses: 2 })
    for (const machine of ['machine-1', 'machine-1', 'machine-2', 'machine-1'])
      expect(directory.redeem(CODE_HASH, machine)).toMatchObject({ ok: true, value: { id } })
    expect(directory.enrolments(id)).toMatchObject([{ hint: '7K2M', usesLeft: 0 }])
    expect(directory.redeem(CODE_HASH, 'machine-3')).toMatchObject({ code: 'enrolment_code_used' })
    expect(directory.redeem(CODE_HASH, 'machine-2')).toMatchObject({ ok: true })
  })

  test('an unknown and an expired one are told apart, for a while', () => {
    const { directory, clock } = setUp()
    const { id } = unwrap(directory.addTenant({ name: 'ООО Ромашка' }, 'root'))
    addCode(directory, id)
    expect(directory.redeem('d'.repeat(64), 'machine-1')).toMatchObject({ code: 'enrolment_code_invalid' })
    clock.now = NOW + 59_999
    expect(directory.redeem(CODE_HASH, 'machine-1')).toMatchObject({ ok: true })
    clock.now = NOW + 60_000
    expect(directory.redeem(CODE_HASH, 'machine-1')).toMatchObject({ code: 'enrolment_code_expired' })
    clock.now += 8 * 86_400_000
    addCode(directory, id, { codeHash: 'e'.repeat(64) })
    expect(directory.redeem(CODE_HASH, 'machine-1')).toMatchObject({ code: 'enrolment_code_invalid' })
    expect(directory.enrolments(id)).toHaveLength(1)
  })

  test('belong to a tenant that exists, and are bounded', () => {
    const { directory } = setUp()
    expect(addCode(directory, 'nobody')).toMatchObject({ code: 'not_found' })
    const { id } = unwrap(directory.addTenant({ name: 'ООО Ромашка' }, 'root'))
    for (let i = 0; i < 200; i++) expect(addCode(directory, id, { codeHash: `${i}` })).toMatchObject({ ok: true })
    expect(addCode(directory, id, { codeHash: 'one more' })).toMatchObject({ code: 'request_invalid' })
  })
})

describe('operators', () => {
  test('the root operator is the one of the relay’s secret', () => {
    const root = { ok: true, value: { id: 'root', name: 'root', role: 'admin', tenants: null } }
    expect(setUp().directory.operator(ROOT_HASH)).toEqual(root)
    expect(openDirectory(nodeSql(), ` ${ROOT_HASH.toUpperCase()}\n`, Date.now).operator(ROOT_HASH)).toEqual(root)
    for (const hash of [undefined, ''])
      expect(openDirectory(nodeSql(), hash, Date.now).operator(hash ?? ROOT_HASH)).toMatchObject({
        code: 'token_revoked',
      })
  })

  test('others are in the table; a damaged row gives no rights', () => {
    const { sql, directory } = setUp()
    const insert = (id: string, role: string, tenants: string | null) =>
      sql.rows('INSERT INTO operators VALUES (?, ?, ?, ?, ?, 0)', id, 'Анна', role, tenants, `hash of ${id}`)
    insert('anna', 'operator', '["ooo-romashka"]')
    insert('boris', 'viewer', null)
    insert('damaged', 'operator', '{')
    insert('strange', 'owner', null)
    expect(directory.operator('hash of anna')).toEqual({
      ok: true,
      value: { id: 'anna', name: 'Анна', role: 'operator', tenants: ['ooo-romashka'] },
    })
    expect(directory.operator('hash of boris')).toMatchObject({ value: { role: 'viewer', tenants: null } })
    expect(() => directory.operator('hash of damaged')).toThrow(expect.objectContaining({ code: 'state_unreadable' }))
    expect(() => directory.operator('hash of strange')).toThrow(expect.objectContaining({ code: 'state_unreadable' }))
    expect(directory.operator('f'.repeat(64))).toMatchObject({ code: 'token_revoked' })
  })
})

describe('audit', () => {
  test('has every change, and no refused one', () => {
    const { sql, directory } = setUp()
    directory.addTenant({ name: 'ООО Ромашка' }, 'anna')
    directory.addTenant({ name: 'ООО Ромашка' }, 'anna')
    addCode(directory, 'ooo-romashka')
    for (const machine of ['machine-1', 'machine-1', 'machine-2']) directory.redeem(CODE_HASH, machine)
    directory.audit({ by: 'root', action: 'host.remove', tenantId: 'ooo-romashka', subject: 'БУХ-1С' })
    expect(auditOf(sql).map(row => ({ ...row }))).toEqual([
      { by: 'anna', action: 'tenant.add', tenant_id: 'ooo-romashka', subject: 'ООО Ромашка' },
      { by: 'root', action: 'enrolment.add', tenant_id: 'ooo-romashka', subject: '7K2M' },
      { by: 'code 7K2M', action: 'enrolment.redeem', tenant_id: 'ooo-romashka', subject: 'machine-1' },
      { by: 'root', action: 'host.remove', tenant_id: 'ooo-romashka', subject: 'БУХ-1С' },
    ])
  })

  test('keeps the newest entries', () => {
    const { sql, directory } = setUp()
    const entry = { by: 'root', action: 'host.remove', tenantId: null }
    sql.transaction(() => {
      for (let i = 0; i < MAX_AUDIT_ENTRIES + 5; i++) directory.audit({ ...entry, subject: `${i}` })
    })
    expect(sql.rows('SELECT count(*) AS n, min(subject + 0) AS oldest FROM audit')).toMatchObject([
      { n: MAX_AUDIT_ENTRIES, oldest: 5 },
    ])
  })
})

describe('stored state', () => {
  test('is opened again as it was', () => {
    const { sql, directory } = setUp()
    directory.addTenant({ name: 'ООО Ромашка' }, 'root')
    expect(setUp(sql).directory.tenants()).toEqual(directory.tenants())
  })

  test('of the next release is read, without a step back', () => {
    const { sql, directory } = setUp()
    directory.addTenant({ name: 'ООО Ромашка' }, 'root')
    const [version] = sql.rows<{ value: number }>('SELECT value FROM meta')
    sql.rows('UPDATE meta SET value = value + 1')
    expect(setUp(sql).directory.tenants()).toHaveLength(1)
    expect(sql.rows('SELECT value FROM meta')).toMatchObject([{ value: (version?.value ?? 0) + 1 }])
  })

  test('of the next release is written too, whatever it added', () => {
    const { sql } = setUp()
    for (const table of ['tenants', 'enrolments', 'redemptions', 'operators', 'audit'])
      sql.rows(`ALTER TABLE ${table} ADD COLUMN more TEXT NOT NULL DEFAULT 'новое'`)
    sql.rows('CREATE TABLE summaries (tenant_id TEXT PRIMARY KEY) WITHOUT ROWID')
    sql.rows('UPDATE meta SET value = value + 1')
    const { directory } = setUp(sql)
    const added = directory.addTenant({ name: 'ООО Ромашка' }, 'root')
    expect(addCode(directory, 'ooo-romashka')).toMatchObject({ ok: true })
    expect(directory.redeem(CODE_HASH, 'machine-1')).toEqual(added)
    expect(directory.enrolments('ooo-romashka')).toMatchObject([{ usesLeft: 0 }])
    expect(auditOf(sql)).toMatchObject([{ action: 'tenant.add' }, { action: 'enrolment.add' }, {}])
    expect(directory.operator(ROOT_HASH)).toMatchObject({ ok: true })
  })

  test.each([
    'UPDATE meta SET value = value + 2',
    'DELETE FROM meta',
    "UPDATE meta SET value = 'x'",
    'DROP TABLE meta',
    'DROP TABLE tenants',
  ])('after "%s" is refused, never started empty', damage => {
    const { sql } = setUp()
    sql.rows(damage)
    expect(() => setUp(sql)).toThrow(expect.objectContaining({ code: 'state_unreadable' }))
  })
})

function unwrap<T>(result: { ok: true; value: T } | { ok: false; detail: string }): T {
  if (!result.ok) throw new Error(result.detail)
  return result.value
}
