import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Keyring } from '../secrets/keyring.ts'
import { writePrivateFile } from './private-file.ts'
import { systemCode, UserError } from './user-error.ts'

const schema = z.object({ mac: z.record(z.string(), z.string()), kek: z.record(z.string(), z.string()) })

/**
 * What a data directory remembers of the keys that it was written with: a one-way check value by key id, of no use to
 * whoever has only them (the keys are 256 random bits).
 */
export type KeyChecks = z.output<typeof schema>

export function keyChecksOf(keyring: Keyring): KeyChecks {
  const checks = (keys: ReadonlyMap<string, Uint8Array>) =>
    Object.fromEntries(
      [...keys].map(([kid, key]) => [
        kid,
        createHmac('sha256', key).update('onec-relay key check').digest('hex').slice(0, 32),
      ]),
    )
  return { mac: checks(keyring.mac.keys), kek: checks(keyring.kek.keys) }
}

/** Whether these keys can be those of that data: one in common for each purpose, and none that differs. */
export function belongTogether(written: KeyChecks, present: KeyChecks): boolean {
  return (['mac', 'kek'] as const).every(purpose => {
    const shared = Object.keys(written[purpose]).filter(kid => Object.hasOwn(present[purpose], kid))
    return shared.length > 0 && shared.every(kid => written[purpose][kid] === present[purpose][kid])
  })
}

/** The checks that a data directory holds; absent in a new one. */
export async function readKeyChecks(dataDirectory: string): Promise<KeyChecks | undefined> {
  const path = keyChecksPath(dataDirectory)
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new UserError(`${path} cannot be read, so nothing says which keys this data was written with.`, {
      next: 'Restore it from a backup of the data directory, or remove it when you know that the keys are the right ones.',
    })
  }
}

/** Ties the data directory to these keys. Fails when it was written with others. */
export async function bindKeys(dataDirectory: string, keyring: Keyring, keysPath: string): Promise<void> {
  const written = await readKeyChecks(dataDirectory)
  const present = keyChecksOf(keyring)
  if (written && !belongTogether(written, present))
    throw new UserError(
      `The keys in ${keysPath} do not belong to the data in ${dataDirectory}: its secrets and tokens were made with others.`,
      {
        next: 'Give the directory with the right keys (--private DIR), or start with an empty data directory.',
      },
    )
  if (JSON.stringify(written) !== JSON.stringify(present))
    await writePrivateFile(keyChecksPath(dataDirectory), `${JSON.stringify(present, null, 2)}\n`)
}

function keyChecksPath(dataDirectory: string): string {
  return join(dataDirectory, 'key-checks.json')
}
