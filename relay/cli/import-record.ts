import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { writePrivateFile } from './private-file.ts'
import { systemCode } from './user-error.ts'

const schema = z.object({
  /** Hex; makes the fingerprints useless to whoever holds only them and a guess. */
  salt: z.string().regex(/^[0-9a-f]{32,}$/),
  /** By `tenant id/destination id`: what was imported last, and the version that it became. */
  destinations: z.record(z.string(), z.object({ fingerprint: z.string(), version: z.number() })),
})

/**
 * What was imported last time. The API never shows a secret, so only a fingerprint can tell whether one has changed;
 * together with the version it also tells whether somebody else edited the destination since.
 */
export type ImportRecord = z.output<typeof schema>

export function emptyRecord(): ImportRecord {
  return { salt: randomBytes(16).toString('hex'), destinations: {} }
}

/** The record at `path`; an empty one when there is none or it cannot be understood: then everything is sent again. */
export async function readImportRecord(path: string): Promise<ImportRecord> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : emptyRecord()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return emptyRecord()
    throw error
  }
}

export async function writeImportRecord(path: string, record: ImportRecord): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(record, null, 2)}\n`)
}

/** HMAC-SHA-256 (hex) of settings, whatever the order of their keys. */
export function fingerprintOf(settings: Readonly<Record<string, unknown>>, salt: string): string {
  const sorted = Object.keys(settings)
    .sort()
    .map(key => [key, settings[key]])
  return createHmac('sha256', Buffer.from(salt, 'hex')).update(JSON.stringify(sorted)).digest('hex')
}
