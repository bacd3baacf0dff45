import { expect, test } from 'vitest'
import { holds, type Permission, sees } from '../../../relay/auth/permission.ts'
import type { Operator, Role } from '../../../relay/directory/rpc.ts'

const operator = (role: Role, tenants: readonly string[] | null = null): Operator => ({
  id: 'anna',
  name: 'Анна',
  role,
  tenants,
})

test.each<[Role, readonly string[] | null, Permission[]]>([
  ['viewer', null, ['read']],
  ['operator', null, ['read', 'operate']],
  ['operator', ['ooo-romashka'], ['read', 'operate']],
  ['admin', null, ['read', 'operate', 'administer']],
  ['admin', ['ooo-romashka'], ['read', 'operate']],
])('%s of %o holds %o', (role, tenants, permissions) => {
  const all: Permission[] = ['read', 'operate', 'administer']
  expect(all.filter(permission => holds(operator(role, tenants), permission))).toEqual(permissions)
})

test('an operator sees all tenants or some, or none', () => {
  expect(sees(operator('viewer'), 'ooo-romashka')).toBe(true)
  expect(sees(operator('admin', ['ooo-romashka']), 'ooo-romashka')).toBe(true)
  expect(sees(operator('admin', ['ooo-romashka']), 'ooo-lyutik')).toBe(false)
  expect(sees(operator('admin', []), 'ooo-romashka')).toBe(false)
})
