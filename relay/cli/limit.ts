import { UserError } from './user-error.ts'

/** `--limit`: 1 to 1000. */
export function readLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > 1_000) throw new UserError(`--limit is "${text}".`, { next: 'It takes 1 to 1000.' })
  return limit
}
