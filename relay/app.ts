import { Hono } from 'hono'
import { adminApi } from './api/admin.ts'
import { agentApi } from './api/agent.ts'
import type { AgentEnv } from './api/context.ts'
import { metricsApi } from './api/metrics.ts'
import { ingestApi } from './ingest/ingest.ts'
import { errorResponse, problemResponse } from './problem.ts'
import { RELAY_VERSION } from './version.ts'

/** Everything that the relay answers over HTTP. */
export function relayApp(): Hono<AgentEnv> {
  const app = new Hono<AgentEnv>()
  app.onError(errorResponse)
  app.notFound(c => problemResponse('route_unknown', `There is no ${c.req.method} ${c.req.path}.`))
  app.get('/healthz', c => c.json({ ok: true, version: RELAY_VERSION }))
  app.route('/', metricsApi())
  app.route('/v1', ingestApi())
  app.route('/v1', agentApi())
  app.route('/v1/admin', adminApi())
  return app
}
