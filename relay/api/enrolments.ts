import { Hono } from 'hono'
import * as z from 'zod'
import { displayName } from '../../shared/host-config.ts'
import { newEnrolmentCode, readEnrolmentCode } from '../directory/enrolment-code.ts'
import { directoryOf } from '../objects.ts'
import { permit } from './access.ts'
import { answer } from './answer.ts'
import type { AdminEnv } from './context.ts'
import { readBody } from './request.ts'

const DAY_MS = 86_400_000

const newEnrolment = z.strictObject({
  uses: z.int().min(1).max(1_000).default(1),
  expiresInMs: z
    .int()
    .min(60_000)
    .max(90 * DAY_MS)
    .default(DAY_MS),
  note: displayName.nullable().default(null),
})

export function enrolmentRoutes(now: () => number): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()

  routes.get('/', permit('read'), async c =>
    c.json({ enrolments: await directoryOf(c.env).enrolments(c.var.tenant.id) }),
  )

  routes.post('/', permit('operate'), async c => {
    const { uses, expiresInMs, note } = await readBody(c, newEnrolment)
    const code = newEnrolmentCode()
    const stored = await readEnrolmentCode(code)
    if (!stored) throw new Error('a new enrolment code cannot be read back')
    const added = await directoryOf(c.env).addEnrolment(
      { tenantId: c.var.tenant.id, ...stored, uses, expiresAtMs: now() + expiresInMs, note },
      c.var.operator.id,
    )
    return answer(c, added.ok ? { ok: true, value: { ...added.value, code } } : added, 201)
  })

  return routes
}
