import type { MiddlewareHandler } from 'hono'
import { holds, type Permission, sees } from '../auth/permission.ts'
import { readOperatorToken, tokenProblem } from '../auth/token.ts'
import { directoryOf } from '../objects.ts'
import { problemResponse } from '../problem.ts'
import { refused } from '../result.ts'
import { readKeyring } from '../secrets/keyring.ts'
import { answer } from './answer.ts'
import type { AdminEnv } from './context.ts'
import { readPart } from './request.ts'

/** Whose token it is; the directory is asked only about a token whose MAC is good. */
export const authenticate: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const reading = await readOperatorToken(readKeyring(c.env.RELAY_KEYS), c.req.header('Authorization'))
  if (reading.kind !== 'ok') {
    const { code, detail } = tokenProblem(reading, 'operator')
    return problemResponse(code, detail)
  }
  const operator = await directoryOf(c.env).operator(reading.token.tokenHash)
  if (!operator.ok) return answer(c, operator)
  c.set('operator', operator.value)
  return next()
}

/** Only for operators whose role includes the permission. */
export function permit(permission: Permission): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    if (holds(c.var.operator, permission)) return next()
    return problemResponse(
      'operator_forbidden',
      `The role "${c.var.operator.role}" of this token does not allow this. Ask an administrator.`,
    )
  }
}

/** The tenant that the path names. One that the operator may not see is answered like one that is not there. */
export const openTenant: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const found = await directoryOf(c.env).tenant(readPart(c, 'tenant'))
  const tenant = found.ok && !sees(c.var.operator, found.value.id) ? noSuchTenant : found
  if (!tenant.ok) return tenant.code === 'not_found' ? answer(c, noSuchTenant) : answer(c, tenant)
  c.set('tenant', tenant.value)
  return next()
}

const noSuchTenant = refused(
  'not_found',
  'There is no such tenant, or it is not one of yours. See: onec-relay tenant list.',
)
