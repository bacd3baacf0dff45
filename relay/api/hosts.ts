import { Hono } from 'hono'
import { tenantObject } from '../objects.ts'
import { permit } from './access.ts'
import { answer, answerChange } from './answer.ts'
import type { AdminContext, AdminEnv } from './context.ts'
import { readHostConfig } from './host-config-body.ts'
import { readPart } from './request.ts'

export function hostRoutes(): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()
  const tenant = (c: AdminContext) => tenantObject(c.env, c.var.tenant.id)

  routes.get('/', permit('read'), async c => c.json({ hosts: await tenant(c).hosts() }))

  routes.get('/:host', permit('read'), async c => answer(c, await tenant(c).host(readPart(c, 'host'))))

  routes.delete('/:host', permit('operate'), async c => {
    const removed = await tenant(c).removeHost(readPart(c, 'host'))
    return answerChange(c, 'host.remove', removed.ok ? `${removed.value.id} ${removed.value.name}` : '', removed)
  })

  routes.put('/:host/config', permit('operate'), async c => {
    const host = readPart(c, 'host')
    const config = await readHostConfig(c)
    return answerChange(c, 'host.configure', host, await tenant(c).setHostConfig(host, config))
  })

  return routes
}
