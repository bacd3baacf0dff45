import type { Context, MiddlewareHandler } from 'hono'
import { directoryOf } from '../objects.ts'
import { problemResponse } from '../problem.ts'
import type { Result } from '../result.ts'
import { RELAY_VERSION } from '../version.ts'
import type { AdminContext } from './context.ts'

/** Every answer says which release gave it, refusals too; none may be kept by a cache. */
export const answerHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  c.res.headers.set('Onec-Relay-Version', RELAY_VERSION)
  c.res.headers.set('Cache-Control', 'no-store')
}

/** What an object said, as HTTP. */
export function answer<T extends object>(c: Context, result: Result<T>, status: 200 | 201 = 200): Response {
  return result.ok ? c.json(result.value, status) : problemResponse(result.code, result.detail)
}

/** The same for a change of the context's tenant: one that was made goes into the audit log first. */
export async function answerChange<T extends object>(
  c: AdminContext,
  action: string,
  subject: string,
  result: Result<T>,
  status: 200 | 201 = 200,
): Promise<Response> {
  if (result.ok) await directoryOf(c.env).audit({ by: c.var.operator.id, action, tenantId: c.var.tenant.id, subject })
  return answer(c, result, status)
}
