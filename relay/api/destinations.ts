import { Hono } from 'hono'
import * as z from 'zod'
import { displayName } from '../../shared/host-config.ts'
import { tenantObject } from '../objects.ts'
import { BUDGET_BOUNDS } from '../tenant/rpc.ts'
import { permit } from './access.ts'
import { answerChange } from './answer.ts'
import type { AdminContext, AdminEnv } from './context.ts'
import { readBody, readPart } from './request.ts'

const name = displayName.transform(text => text.normalize('NFC'))
const settings = z.record(z.string().min(1).max(64), z.unknown())

const ageMs = z.int().min(BUDGET_BOUNDS.ageMs.min).max(BUDGET_BOUNDS.ageMs.max)
const bytes = z.int().min(BUDGET_BOUNDS.bytes.min).max(BUDGET_BOUNDS.bytes.max)
const budget = z.strictObject({ ageMs: ageMs.exactOptional(), bytes: bytes.exactOptional() })
const budgetEdit = z.strictObject({ ageMs: ageMs.nullable().exactOptional(), bytes: bytes.nullable().exactOptional() })

/** The settings are the sink's to judge: the tenant's object parses them with its schema. */
const newDestination = z.strictObject({
  name,
  sink: z.string().regex(/^[a-z0-9-]{1,32}$/, 'a sink is named with lower-case letters, digits and dashes'),
  settings,
  budget: budget.exactOptional(),
})

const destinationEdit = z
  .strictObject({
    name: name.exactOptional(),
    settings: settings.exactOptional(),
    budget: budgetEdit.exactOptional(),
  })
  .refine(edit => Object.keys(edit).length > 0, 'give "name", "settings", "budget" or several of them')

export function destinationRoutes(): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()
  const tenant = (c: AdminContext) => tenantObject(c.env, c.var.tenant.id)

  routes.get('/', permit('read'), async c => c.json({ destinations: await tenant(c).destinations() }))

  routes.post('/', permit('operate'), async c => {
    const input = await readBody(c, newDestination)
    return answerChange(c, 'destination.add', input.name, await tenant(c).addDestination(input), 201)
  })

  routes.patch('/:destination', permit('operate'), async c => {
    const destination = readPart(c, 'destination')
    const edit = await readBody(c, destinationEdit)
    return answerChange(c, 'destination.edit', destination, await tenant(c).editDestination(destination, edit))
  })

  routes.delete('/:destination', permit('operate'), async c => {
    const destination = readPart(c, 'destination')
    return answerChange(c, 'destination.remove', destination, await tenant(c).removeDestination(destination))
  })

  routes.post('/:destination/test', permit('operate'), async c => {
    const destination = readPart(c, 'destination')
    return answerChange(c, 'destination.test', destination, await tenant(c).testDestination(destination))
  })

  routes.post('/:destination/suspend', permit('operate'), async c => {
    const destination = readPart(c, 'destination')
    return answerChange(c, 'destination.suspend', destination, await tenant(c).suspendDestination(destination))
  })

  routes.post('/:destination/resume', permit('operate'), async c => {
    const destination = readPart(c, 'destination')
    return answerChange(c, 'destination.resume', destination, await tenant(c).resumeDestination(destination))
  })

  return routes
}
