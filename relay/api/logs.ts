import { Hono } from 'hono'
import { tenantObject } from '../objects.ts'
import { permit } from './access.ts'
import type { AdminEnv } from './context.ts'
import { readLimit } from './request.ts'

/** What happened to a tenant, newest first. */
export function logRoutes(): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()

  routes.get('/events', permit('read'), async c =>
    c.json({ events: await tenantObject(c.env, c.var.tenant.id).events(readLimit(c)) }),
  )

  return routes
}
