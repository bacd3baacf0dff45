import type { Context } from 'hono'
import { type HostConfig, hostConfig } from '../../shared/host-config.ts'
import { RelayError } from '../problem.ts'
import { check, readJson } from './request.ts'

/**
 * A host's configuration as an operator writes it. Agents ignore keys that they do not know; here, where a person
 * still looks, one is refused: it is a typing error. Fails with `request_invalid` naming the field.
 */
export async function readHostConfig(c: Context): Promise<HostConfig> {
  const body = await readJson(c)
  const config = check(hostConfig, body)
  const unknown = findUnknown(body, config, '')
  if (unknown === undefined) return config
  throw new RelayError('request_invalid', `${unknown}: there is no such setting. Check the spelling.`)
}

/** Path of the first key of `body` that the schema left out of `parsed`. */
function findUnknown(body: unknown, parsed: unknown, path: string): string | undefined {
  if (typeof body !== 'object' || body === null || typeof parsed !== 'object' || parsed === null) return undefined
  for (const [key, value] of Object.entries(body)) {
    const place = path ? `${path}.${key}` : key
    if (!Object.hasOwn(parsed, key)) return place
    const inside = findUnknown(value, (parsed as Record<string, unknown>)[key], place)
    if (inside !== undefined) return inside
  }
  return undefined
}
