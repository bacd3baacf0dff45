import { ok, type Result } from '../result.ts'
import { type AuditEntry, writeAudit } from './audit.ts'
import { addEnrolment, listEnrolments, type NewEnrolment, redeem } from './enrolments.ts'
import { findOperator } from './operators.ts'
import type { EnrolmentView, Operator, TenantRecord } from './rpc.ts'
import { migrate } from './schema.ts'
import type { Sql } from './sql.ts'
import { addTenant, findTenant, listTenants } from './tenants.ts'

/** `DirectoryRpc` without the hop: every change together with its audit entry, or neither. */
export interface Directory {
  operator(tokenHash: string): Result<Operator>
  addTenant(input: { name: string; id?: string }, by: string): Result<TenantRecord>
  tenants(): readonly TenantRecord[]
  tenant(idOrName: string): Result<TenantRecord>
  addEnrolment(input: NewEnrolment, by: string): Result<EnrolmentView>
  enrolments(tenantId: string): readonly EnrolmentView[]
  redeem(codeHash: string, machineId: string): Result<TenantRecord>
  audit(entry: AuditEntry): void
}

/**
 * Opens the tables in `sql`, making them when there are none. `rootHash` is the SHA-256 (hex) of the first operator's
 * token. Fails with `state_unreadable`.
 */
export function openDirectory(sql: Sql, rootHash: string | undefined, now: () => number): Directory {
  migrate(sql)
  return {
    operator: tokenHash => findOperator(sql, tokenHash, rootHash),
    tenants: () => listTenants(sql),
    tenant: idOrName => findTenant(sql, idOrName),
    enrolments: tenantId => listEnrolments(sql, tenantId),
    audit: entry => writeAudit(sql, entry, now()),

    addTenant: (input, by) =>
      sql.transaction(() => {
        const added = addTenant(sql, input, now())
        if (added.ok)
          writeAudit(sql, { by, action: 'tenant.add', tenantId: added.value.id, subject: added.value.name }, now())
        return added
      }),

    addEnrolment: (input, by) =>
      sql.transaction(() => {
        const added = addEnrolment(sql, input, now())
        if (added.ok)
          writeAudit(sql, { by, action: 'enrolment.add', tenantId: input.tenantId, subject: input.hint }, now())
        return added
      }),

    redeem: (codeHash, machineId) =>
      sql.transaction(() => {
        const redeemed = redeem(sql, codeHash, machineId, now())
        if (!redeemed.ok) return redeemed
        const { tenant, hint, taken } = redeemed.value
        if (taken)
          writeAudit(
            sql,
            { by: `code ${hint}`, action: 'enrolment.redeem', tenantId: tenant.id, subject: machineId },
            now(),
          )
        return ok(tenant)
      }),
  }
}
