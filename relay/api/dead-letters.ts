import { Hono } from 'hono'
import * as z from 'zod'
import { tenantObject } from '../objects.ts'
import type { DeadLetterSelection } from '../tenant/rpc.ts'
import { permit } from './access.ts'
import { answer, answerChange } from './answer.ts'
import type { AdminContext, AdminEnv } from './context.ts'
import { check, readBody, readLimit } from './request.ts'

/** The table's bound: no tenant has more. */
const MAX_IDS = 1_000

const id = z.coerce.number().int().min(1)
const idOrName = z
  .string()
  .min(1)
  .max(200)
  .transform(text => text.normalize('NFC'))
const filter = z.object({ destination: idOrName.exactOptional(), host: idOrName.exactOptional() })

const selection = z
  .strictObject({
    ...filter.shape,
    ids: z.array(z.int().min(1)).min(1).max(MAX_IDS).exactOptional(),
    all: z.literal(true).exactOptional(),
  })
  .refine(
    ({ all, ...some }) => (all === undefined) === Object.keys(some).length > 0,
    'give "ids", "destination", "host" or several of them, or "all": true alone',
  )

export function deadLetterRoutes(): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()
  const tenant = (c: AdminContext) => tenantObject(c.env, c.var.tenant.id)
  const replay = async (c: AdminContext, which: DeadLetterSelection) =>
    answerChange(c, 'dead-letter.replay', inWords(which), await tenant(c).replayDeadLetters(which))
  const drop = async (c: AdminContext, which: DeadLetterSelection) =>
    answerChange(c, 'dead-letter.drop', inWords(which), await tenant(c).dropDeadLetters(which))

  routes.get('/', permit('read'), async c =>
    c.json({ deadLetters: await tenant(c).deadLetters(readLimit(c), check(filter, c.req.query())) }),
  )

  routes.get('/:id', permit('read'), async c => answer(c, await tenant(c).deadLetter(readId(c))))

  routes.post('/replay', permit('operate'), async c => replay(c, await readBody(c, selection)))

  routes.post('/drop', permit('operate'), async c => drop(c, await readBody(c, selection)))

  routes.post('/:id/replay', permit('operate'), async c => replay(c, { ids: [readId(c)] }))

  routes.delete('/:id', permit('operate'), async c => drop(c, { ids: [readId(c)] }))

  return routes
}

function readId(c: AdminContext): number {
  return check(z.object({ id }), c.req.param()).id
}

/** For the audit log, in a line: `all`, `7`, `destination Облако, host БУХ-1С`. */
function inWords(which: DeadLetterSelection): string {
  if (which.all) return 'all'
  const { ids, destination, host } = which
  const numbers = ids && (ids.length > 10 ? `${ids.length} by id` : ids.join(' '))
  return [numbers, destination && `destination ${destination}`, host && `host ${host}`].filter(Boolean).join(', ')
}
