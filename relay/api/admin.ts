import { Hono } from 'hono'
import { errorResponse } from '../problem.ts'
import { authenticate, openTenant } from './access.ts'
import { answerHeaders } from './answer.ts'
import type { AdminEnv } from './context.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { destinationRoutes } from './destinations.ts'
import { enrolmentRoutes } from './enrolments.ts'
import { hostRoutes } from './hosts.ts'
import { logRoutes } from './logs.ts'
import { limitBody } from './request.ts'
import { tenantRoutes } from './tenants.ts'

/** The operator's API, to be mounted at `/v1/admin`: see README.md. */
export function adminApi(now: () => number = Date.now): Hono<AdminEnv> {
  const api = new Hono<AdminEnv>()
  api.onError(errorResponse)
  api.use(answerHeaders, authenticate, limitBody)
  api.use('/tenants/:tenant/*', openTenant)
  api.route('/tenants', tenantRoutes())
  api.route('/tenants/:tenant/enrolments', enrolmentRoutes(now))
  api.route('/tenants/:tenant/hosts', hostRoutes())
  api.route('/tenants/:tenant/destinations', destinationRoutes())
  api.route('/tenants/:tenant/dead-letters', deadLetterRoutes())
  api.route('/tenants/:tenant', logRoutes())
  return api
}
