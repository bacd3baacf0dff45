import { Hono } from 'hono'
import * as z from 'zod'
import { displayName } from '../../shared/host-config.ts'
import { sees } from '../auth/permission.ts'
import type { TenantRecord } from '../directory/rpc.ts'
import { TENANT_ID } from '../directory/slug.ts'
import type { Env } from '../env.ts'
import { directoryOf, tenantObject } from '../objects.ts'
import type { HostCounts } from '../tenant/rpc.ts'
import { permit } from './access.ts'
import { answer } from './answer.ts'
import type { AdminEnv } from './context.ts'
import { readBody } from './request.ts'

/** Objects asked at once: each may have to wake first. */
const ASKED_AT_ONCE = 20

const newTenant = z.strictObject({
  name: displayName.transform(name => name.normalize('NFC')),
  id: z.string().regex(TENANT_ID, 'an id is 1–32 lower-case letters, digits and dashes, no dash first').exactOptional(),
})

export function tenantRoutes(): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()

  routes.get('/', permit('read'), async c => {
    const all = await directoryOf(c.env).tenants()
    const tenants = await withHosts(
      c.env,
      all.filter(tenant => sees(c.var.operator, tenant.id)),
    )
    return c.json({ tenants })
  })

  routes.post('/', permit('administer'), async c => {
    const input = await readBody(c, newTenant)
    const added = await directoryOf(c.env).addTenant(input, c.var.operator.id)
    // A first try may have ended between the directory and the object: the second one completes it.
    const tenant = added.ok ? added : await directoryOf(c.env).tenant(input.name)
    if (tenant.ok) await tenantObject(c.env, tenant.value.id).init({ id: tenant.value.id, name: tenant.value.name })
    return answer(c, added, 201)
  })

  return routes
}

type TenantWithHosts = TenantRecord & { readonly hosts: HostCounts | null }

async function withHosts(env: Env, tenants: readonly TenantRecord[]): Promise<readonly TenantWithHosts[]> {
  const listed: TenantWithHosts[] = []
  for (let from = 0; from < tenants.length; from += ASKED_AT_ONCE)
    listed.push(
      ...(await Promise.all(tenants.slice(from, from + ASKED_AT_ONCE).map(tenant => withCounts(env, tenant)))),
    )
  return listed
}

/** One tenant whose object does not answer must not hide the others. */
async function withCounts(env: Env, tenant: TenantRecord): Promise<TenantWithHosts> {
  try {
    return { ...tenant, hosts: await tenantObject(env, tenant.id).counts() }
  } catch (error) {
    console.error(`tenant ${tenant.id} does not answer`, error)
    return { ...tenant, hosts: null }
  }
}
