import type { Context } from 'hono'
import type { Operator, TenantRecord } from '../directory/rpc.ts'
import type { Env } from '../env.ts'

/** What the admin routes work with: `operator` once authenticated, `tenant` under `/tenants/:tenant`. */
export interface AdminEnv {
  Bindings: Env
  Variables: { operator: Operator; tenant: TenantRecord }
}

export type AdminContext = Context<AdminEnv>

export interface AgentEnv {
  Bindings: Env
}
