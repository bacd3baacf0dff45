import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import * as z from 'zod'
import { problemResponse, RelayError } from '../problem.ts'

const MAX_BODY_BYTES = 64 * 1024

/** Refuses a longer body, by its stated length or while it is read. */
export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => problemResponse('body_too_large', `A request body here is at most ${MAX_BODY_BYTES / 1024} KB.`),
})

/**
 * The JSON body as `schema` has it; an empty one counts as `{}`. Fails with `content_type_unsupported`,
 * `json_invalid`, or `request_invalid` naming the field.
 */
export async function readBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  return check(schema, await readJson(c))
}

export async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text()
  if (text.trim() === '') return {}
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(c.req.header('Content-Type') ?? ''))
    throw new RelayError('content_type_unsupported', 'Send JSON, with "Content-Type: application/json".')
  try {
    return JSON.parse(text)
  } catch {
    // What JSON.parse says quotes the body, and that may hold a secret.
    throw new RelayError('json_invalid', 'The body is not valid JSON.')
  }
}

/** Fails with `request_invalid`: the field's name and what is wrong, never its value. */
export function check<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  // A record wraps what is wrong with a key; the reason is inside.
  const message = (issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue?.message
  throw new RelayError('request_invalid', `${issue?.path.map(String).join('.') || 'The body'}: ${message}.`)
}

const listLimit = z.coerce.number().int().min(1).max(1_000).default(100)

/** `?limit=`, 100 when absent. */
export function readLimit(c: Context): number {
  return check(z.object({ limit: listLimit }), c.req.query()).limit
}

/** An id or a name out of the path, as names are stored. */
export function readPart(c: Context, part: string): string {
  return (c.req.param(part) ?? '').normalize('NFC')
}
