import { type Context, Hono } from 'hono'
import { metricOf } from '../../shared/metrics.ts'
import { sees } from '../auth/permission.ts'
import { type ExpositionSeries, encodeExposition, encodeHeader, encodeLabels } from '../codec/exposition.ts'
import type { TenantRecord } from '../directory/rpc.ts'
import type { Env } from '../env.ts'
import { directoryOf, tenantObject } from '../objects.ts'
import { errorResponse } from '../problem.ts'
import { authenticate, permit } from './access.ts'
import { answerHeaders } from './answer.ts'
import type { AdminEnv } from './context.ts'

export interface ScrapeLimits {
  /** Objects asked at once: each may have to wake first. */
  readonly atOnce: number
  /** For one tenant's answer. */
  readonly tenantMs: number
  /** For all of them: a Prometheus waits 10 s unless it is told otherwise. */
  readonly scrapeMs: number
}

const LIMITS: ScrapeLimits = { atOnce: 20, tenantMs: 4_000, scrapeMs: 8_000 }

/**
 * `GET /metrics`, to be mounted at `/`: Prometheus' text format 0.0.4 for an operator's token, with what the relay says of
 * each tenant that he sees. A tenant whose object fails or is slow costs the others nothing: its
 * `onec_tenant_scrape_success` is 0.
 */
export function metricsApi(limits: ScrapeLimits = LIMITS): Hono<AdminEnv> {
  const api = new Hono<AdminEnv>()
  api.onError(errorResponse)
  api.get('/metrics', answerHeaders, authenticate, permit('read'), async c => {
    const tenants = (await directoryOf(c.env).tenants()).filter(({ id }) => sees(c.var.operator, id))
    return exposition(c, await scrape(c.env, tenants, limits))
  })
  return api
}

function exposition(c: Context, series: readonly ExpositionSeries[]): Response {
  const { text } = encodeExposition(series, name => encodeHeader(name, metricOf(name)))
  return c.body(text, 200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' })
}

async function scrape(env: Env, tenants: readonly TenantRecord[], limits: ScrapeLimits): Promise<ExpositionSeries[]> {
  const answers: ExpositionSeries[][] = []
  const waiting = tenants.entries()
  const scrapeOver = timeLimit(limits.scrapeMs)
  const askNext = async () => {
    // The others of the pool take from the same iterator: each tenant is asked once, and stands where it was listed.
    for (const [place, tenant] of waiting) answers[place] = await ask(env, tenant, limits.tenantMs, scrapeOver)
  }
  await Promise.all(Array.from({ length: limits.atOnce }, askNext))
  scrapeOver.end()
  return answers.flat()
}

async function ask(
  env: Env,
  tenant: TenantRecord,
  limitMs: number,
  scrapeOver: TimeLimit,
): Promise<ExpositionSeries[]> {
  const success = (value: 0 | 1) => ({
    name: 'onec_tenant_scrape_success',
    labels: encodeLabels([['tenant', tenant.name]]),
    value,
  })
  const tenantOver = timeLimit(limitMs)
  try {
    const late = Promise.race([tenantOver.reached, scrapeOver.reached])
    const asked = scrapeOver.isReached ? late : tenantObject(env, tenant.id).metrics()
    const series = await Promise.race([asked, late])
    return [...series.map(one => ({ ...one, labels: encodeLabels(one.labels) })), success(1)]
  } catch (error) {
    console.error(`tenant ${tenant.id} gives no metrics`, error)
    return [success(0)]
  } finally {
    tenantOver.end()
  }
}

interface TimeLimit {
  /** Fails when the time is over. */
  readonly reached: Promise<never>
  readonly isReached: boolean
  end(): void
}

function timeLimit(ms: number): TimeLimit {
  const { promise, reject } = Promise.withResolvers<never>()
  const limit = { reached: promise, isReached: false, end: () => clearTimeout(timer) }
  // Nobody may be waiting for it when it comes.
  promise.catch(() => {})
  const timer = setTimeout(() => {
    limit.isReached = true
    reject(new Error(`no answer within ${ms} ms`))
  }, ms)
  return limit
}
