import { ok, type Result, refused } from '../result.ts'
import type { EnrolmentView, TenantRecord } from './rpc.ts'
import type { Sql } from './sql.ts'
import { findTenant } from './tenants.ts'

/** Codes of one tenant that are kept; more is a script gone wild. */
const MAX_CODES_PER_TENANT = 200
/** How long an expired code is still told from one that never was. */
const KEPT_AFTER_EXPIRY_MS = 7 * 86_400_000

type Row = {
  tenant_id: string
  hint: string
  uses_left: number
  expires_at_ms: number
  created_at_ms: number
  note: string | null
}

const COLUMNS = 'tenant_id, hint, uses_left, expires_at_ms, created_at_ms, note'

const view = (row: Row): EnrolmentView => ({
  hint: row.hint,
  usesLeft: row.uses_left,
  expiresAtMs: row.expires_at_ms,
  createdAtMs: row.created_at_ms,
  note: row.note,
})

export interface NewEnrolment {
  readonly tenantId: string
  readonly codeHash: string
  readonly hint: string
  readonly uses: number
  readonly expiresAtMs: number
  readonly note: string | null
}

/** Stores a code's hash. Fails with `not_found` for an unknown tenant, `request_invalid` when it has too many codes. */
export function addEnrolment(sql: Sql, input: NewEnrolment, now: number): Result<EnrolmentView> {
  forgetExpired(sql, now)
  const tenant = findTenant(sql, input.tenantId)
  if (!tenant.ok) return tenant
  if (listEnrolments(sql, input.tenantId).length >= MAX_CODES_PER_TENANT)
    return refused('request_invalid', `This tenant has ${MAX_CODES_PER_TENANT} codes. Give one code more uses instead.`)
  const row: Row = {
    tenant_id: input.tenantId,
    hint: input.hint,
    uses_left: input.uses,
    expires_at_ms: input.expiresAtMs,
    created_at_ms: now,
    note: input.note,
  }
  sql.rows(
    `INSERT INTO enrolments (code_hash, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    input.codeHash,
    ...[row.tenant_id, row.hint, row.uses_left, row.expires_at_ms, row.created_at_ms, row.note],
  )
  return ok(view(row))
}

/** Newest first, used-up and lately expired ones included. */
export function listEnrolments(sql: Sql, tenantId: string): readonly EnrolmentView[] {
  return sql
    .rows<Row>(`SELECT ${COLUMNS} FROM enrolments WHERE tenant_id = ? ORDER BY created_at_ms DESC, hint`, tenantId)
    .map(view)
}

/** What a code gave: `taken` is false when this machine had redeemed it before, which takes no further use. */
export interface Redemption {
  readonly tenant: TenantRecord
  readonly hint: string
  readonly taken: boolean
}

/** Fails with `enrolment_code_invalid`, `enrolment_code_expired` or `enrolment_code_used`. */
export function redeem(sql: Sql, codeHash: string, machineId: string, now: number): Result<Redemption> {
  const row = sql.rows<Row>(`SELECT ${COLUMNS} FROM enrolments WHERE code_hash = ?`, codeHash)[0]
  const again = sql.rows('SELECT 1 FROM redemptions WHERE code_hash = ? AND machine_id = ?', codeHash, machineId)
  const refusal = refusalOf(row && view(row), again.length > 0, now)
  if (refusal || !row) return refusal ?? unknownCode()
  const tenant = findTenant(sql, row.tenant_id)
  if (!tenant.ok) return tenant
  const taken = again.length === 0
  if (taken) {
    sql.rows('UPDATE enrolments SET uses_left = uses_left - 1 WHERE code_hash = ?', codeHash)
    sql.rows('INSERT INTO redemptions (code_hash, machine_id, at_ms) VALUES (?, ?, ?)', codeHash, machineId, now)
  }
  return ok({ tenant: tenant.value, hint: row.hint, taken })
}

const RENEW = 'Ask for a new one: onec-relay enrol create.'
const unknownCode = () => refused('enrolment_code_invalid', `This enrolment code is not known here. Check it. ${RENEW}`)

/** Why a code cannot be redeemed now; absent when it can. `again`: this machine has redeemed it before. */
function refusalOf(code: EnrolmentView | undefined, again: boolean, now: number): Result<never> | undefined {
  if (!code) return unknownCode()
  if (now >= code.expiresAtMs)
    return refused(
      'enrolment_code_expired',
      `This enrolment code expired ${new Date(code.expiresAtMs).toISOString()}. ${RENEW}`,
    )
  if (!again && code.usesLeft <= 0)
    return refused('enrolment_code_used', `All uses of this enrolment code are taken, by other machines. ${RENEW}`)
  return undefined
}

function forgetExpired(sql: Sql, now: number): void {
  const before = now - KEPT_AFTER_EXPIRY_MS
  const expired = 'SELECT code_hash FROM enrolments WHERE expires_at_ms < ?'
  sql.rows(`DELETE FROM redemptions WHERE code_hash IN (${expired})`, before)
  sql.rows('DELETE FROM enrolments WHERE expires_at_ms < ?', before)
}
