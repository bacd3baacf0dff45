import type { Result } from '../result.ts'

export interface TenantRecord {
  readonly id: string
  readonly name: string
  readonly createdAtMs: number
}

export interface EnrolmentView {
  /** First characters of the code: enough to tell codes apart, not to use one. */
  readonly hint: string
  readonly usesLeft: number
  readonly expiresAtMs: number
  readonly createdAtMs: number
  readonly note: string | null
}

export type Role = 'admin' | 'operator' | 'viewer'

export interface Operator {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Tenant ids; null: all of them. */
  readonly tenants: readonly string[] | null
}

/** The one directory object: who the tenants and operators are. Off the hot path. */
export interface DirectoryRpc {
  /** The operator whose token has this SHA-256 (hex). */
  operator(tokenHash: string): Promise<Result<Operator>>
  /** `id` absent: made from the name. Fails with `name_taken`. */
  addTenant(input: { name: string; id?: string }, by: string): Promise<Result<TenantRecord>>
  tenants(): Promise<readonly TenantRecord[]>
  /** By id or by name. */
  tenant(idOrName: string): Promise<Result<TenantRecord>>
  /** `codeHash` is the SHA-256 (hex) of the code, `hint` its first characters. */
  addEnrolment(
    input: { tenantId: string; codeHash: string; hint: string; uses: number; expiresAtMs: number; note: string | null },
    by: string,
  ): Promise<Result<EnrolmentView>>
  enrolments(tenantId: string): Promise<readonly EnrolmentView[]>
  /**
   * Takes one use of a code for a machine. The same machine may redeem the same code again while it has not expired
   * (its first answer may have been lost): that takes no further use.
   */
  redeem(codeHash: string, machineId: string): Promise<Result<TenantRecord>>
  audit(entry: { by: string; action: string; tenantId: string | null; subject: string }): Promise<void>
}
