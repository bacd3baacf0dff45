import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type AdminClient, adminClient } from './client.ts'
import type { CliContext } from './context.ts'
import { absolute, relayAccess } from './environment.ts'
import { importRecordPath } from './private-directory.ts'
import { systemCode, UserError } from './user-error.ts'

/** The relay of `ONEC_RELAY_URL`, with the token in `ONEC_RELAY_TOKEN_FILE`. Fails when that cannot be read. */
export async function operatorClient(context: CliContext): Promise<AdminClient> {
  const { url, tokenFile } = relayAccess(context.variables)
  const path = absolute(context.workingDirectory, tokenFile)
  try {
    const token = (await readFile(path, 'utf8')).trim()
    // It becomes a header: what could not be one is some other file, and its text must not come back in an error.
    if (!/^[\x21-\x7e]{1,512}$/.test(token))
      throw new UserError(`${path} (ONEC_RELAY_TOKEN_FILE) holds no operator token.`)
    return adminClient({ url, token })
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${path} (ONEC_RELAY_TOKEN_FILE) cannot be read: ${systemCode(error) ?? String(error)}.`, {
      next: 'Point ONEC_RELAY_TOKEN_FILE at the file with the operator token (`onec-relay init` makes the first).',
    })
  }
}

/** Beside the operator's token: where this operator's imports are noted. */
export function operatorImportRecord(context: CliContext): string {
  const { tokenFile } = relayAccess(context.variables)
  return importRecordPath(dirname(absolute(context.workingDirectory, tokenFile)))
}
