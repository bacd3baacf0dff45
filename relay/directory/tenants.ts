import { ok, type Result, refused } from '../result.ts'
import type { TenantRecord } from './rpc.ts'
import { firstFree, slug, TENANT_ID } from './slug.ts'
import type { Sql } from './sql.ts'

type Row = { id: string; name: string; created_at_ms: number }

const record = (row: Row): TenantRecord => ({ id: row.id, name: row.name, createdAtMs: row.created_at_ms })

/** Adds a tenant; `id` absent: made from the name. Fails with `name_taken`, or `request_invalid` for such an id. */
export function addTenant(sql: Sql, input: { name: string; id?: string }, now: number): Result<TenantRecord> {
  const name = input.name.normalize('NFC')
  if (input.id !== undefined && !TENANT_ID.test(input.id))
    return refused('request_invalid', 'A tenant id is 1–32 lower-case letters, digits and dashes, no dash first.')
  const taken = [name, ...(input.id === undefined ? [] : [input.id])].find(word => find(sql, word))
  if (taken !== undefined) return refused('name_taken', `A tenant with the name or id "${taken}" exists already.`)
  const id = input.id ?? firstFree(slug(name, 'tenant'), candidate => find(sql, candidate) !== undefined)
  sql.rows('INSERT INTO tenants (id, name, created_at_ms) VALUES (?, ?, ?)', id, name, now)
  return ok({ id, name, createdAtMs: now })
}

/** By name. */
export function listTenants(sql: Sql): readonly TenantRecord[] {
  return sql.rows<Row>('SELECT id, name, created_at_ms FROM tenants ORDER BY name').map(record)
}

/** By id or by name. No id is another tenant's name, so the two cannot be confused. */
export function findTenant(sql: Sql, idOrName: string): Result<TenantRecord> {
  const row = find(sql, idOrName.normalize('NFC'))
  return row ? ok(record(row)) : refused('not_found', 'There is no such tenant. See: onec-relay tenant list.')
}

function find(sql: Sql, idOrName: string): Row | undefined {
  return sql.rows<Row>('SELECT id, name, created_at_ms FROM tenants WHERE id = ? OR name = ?', idOrName, idOrName)[0]
}
