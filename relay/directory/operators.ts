import * as z from 'zod'
import { equalInConstantTime } from '../auth/digest.ts'
import { ok, type Result, refused } from '../result.ts'
import type { Operator } from './rpc.ts'
import { unreadable } from './schema.ts'
import type { Sql } from './sql.ts'

type Row = { id: string; name: string; role: string; tenants: string | null }

const role = z.enum(['admin', 'operator', 'viewer'])
const tenantIds = z.array(z.string())

/** Whoever installed the relay: known by a secret of the relay, so that a lost directory does not lock him out. */
const ROOT: Operator = { id: 'root', name: 'root', role: 'admin', tenants: null }

/** The operator whose token has this SHA-256 (hex). Fails with `token_revoked`. */
export function findOperator(sql: Sql, tokenHash: string, rootHash: string | undefined): Result<Operator> {
  if (rootHash && equalInConstantTime(tokenHash, rootHash.trim().toLowerCase())) return ok(ROOT)
  const row = sql.rows<Row>('SELECT id, name, role, tenants FROM operators WHERE token_hash = ?', tokenHash)[0]
  if (row) return ok({ id: row.id, name: row.name, role: readRole(row), tenants: readTenants(row) })
  return refused('token_revoked', 'This operator token is no longer valid. Ask an administrator for a new one.')
}

function readRole(row: Row): Operator['role'] {
  const parsed = role.safeParse(row.role)
  if (!parsed.success) throw unreadable(`operator ${row.id} has a role that this release does not know`)
  return parsed.data
}

/** Damage must not read as "all tenants". */
function readTenants(row: Row): Operator['tenants'] {
  if (row.tenants === null) return null
  try {
    return tenantIds.parse(JSON.parse(row.tenants))
  } catch (cause) {
    throw Object.assign(unreadable(`the tenants of operator ${row.id} are not a list`), { cause })
  }
}
