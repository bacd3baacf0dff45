import type { Operator } from '../directory/rpc.ts'

/** `read`: see. `operate`: change what belongs to a tenant. `administer`: change who the tenants are. */
export type Permission = 'read' | 'operate' | 'administer'

const GRANTED: Record<Operator['role'], readonly Permission[]> = {
  viewer: ['read'],
  operator: ['read', 'operate'],
  admin: ['read', 'operate', 'administer'],
}

/** Whether the operator's role includes the permission, whatever the tenant. */
export function holds(operator: Operator, permission: Permission): boolean {
  // A tenant that is being added is among nobody's "some tenants".
  if (permission === 'administer' && operator.tenants !== null) return false
  return GRANTED[operator.role].includes(permission)
}

/** Whether the tenant is one of the operator's. */
export function sees(operator: Operator, tenantId: string): boolean {
  return operator.tenants === null || operator.tenants.includes(tenantId)
}
