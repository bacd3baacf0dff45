import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { mintOperatorToken } from '../auth/token.ts'
import { generateKeyring, type Keyring, readKeyring } from '../secrets/keyring.ts'
import { createPrivateFile } from './private-file.ts'
import { systemCode, UserError } from './user-error.ts'

/** What must stay out of the data directory and its backup: keyring, operator token, agent's state, import record. */
export interface PrivatePaths {
  readonly directory: string
  /** The keyring: `RELAY_KEYS`. */
  readonly keys: string
  readonly operatorToken: string
  /** SHA-256 (hex) of that token: `RELAY_OPERATOR_HASH`. No secret. */
  readonly operatorHash: string
  readonly importRecord: string
  /** State directory of the agent that `start` runs. */
  readonly agentState: string
}

export interface PrivateFiles {
  /** Text of the keyring. */
  readonly keys: string
  readonly keyring: Keyring
  readonly operatorToken: string
  readonly operatorHash: string
}

/** The first operator, who may do everything. */
const ROOT_OPERATOR = 'root'

export function privatePaths(directory: string): PrivatePaths {
  return {
    directory,
    keys: join(directory, 'keys.json'),
    operatorToken: join(directory, 'operator.token'),
    operatorHash: join(directory, 'operator.sha256'),
    importRecord: importRecordPath(directory),
    agentState: join(directory, 'agent'),
  }
}

export function importRecordPath(directory: string): string {
  return join(directory, 'imports.json')
}

/** Makes the keyring and the first operator token. Fails when any of them is there, or when others could read them. */
export async function initPrivateDirectory(directory: string, dataDirectory: string): Promise<PrivatePaths> {
  refuseInside(directory, dataDirectory)
  const paths = privatePaths(directory)
  for (const path of [paths.keys, paths.operatorToken, paths.operatorHash])
    if (await exists(path))
      throw new UserError(`${path} exists already, and what it opens would be lost without it.`, {
        next: 'Use another directory (--private DIR), or move that one away if nothing was ever made with it.',
      })
  await makePrivate(directory)
  const keys = generateKeyring()
  const { token, tokenHash } = await mintOperatorToken(readKeyring(keys), ROOT_OPERATOR)
  await createPrivateFile(paths.operatorToken, token)
  await createPrivateFile(paths.operatorHash, tokenHash)
  await createPrivateFile(paths.keys, keys)
  return paths
}

/** Everything that the relay needs of a private directory. Fails, naming the file, when one is missing or unusable. */
export async function readPrivateFiles(paths: PrivatePaths): Promise<PrivateFiles> {
  const [keys, operatorToken, operatorHash] = await Promise.all([
    readText(paths.keys),
    readText(paths.operatorToken),
    readText(paths.operatorHash),
  ])
  return { keys, keyring: readUsable(keys, paths.keys), operatorToken, operatorHash }
}

function readUsable(keys: string, path: string): Keyring {
  try {
    return readKeyring(keys)
  } catch (error) {
    throw new UserError(`${path} is no keyring: ${error instanceof Error ? error.message : 'it cannot be read'}`, {
      next: 'Put back the copy that was made when it was created.',
    })
  }
}

/** A keyring within the data directory would be in every backup of it. */
function refuseInside(directory: string, dataDirectory: string): void {
  const way = relative(resolve(dataDirectory), resolve(directory))
  const outside = way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)
  if (!outside)
    throw new UserError(
      `${directory} lies within the data directory ${dataDirectory}: a backup of the data would hold its keys.`,
      {
        next: `Use a directory beside it, such as ${dataDirectory}.private.`,
      },
    )
}

/** Makes a directory for its owner only. Fails when it is there and open to others. */
export async function makePrivate(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 })
  if (made !== undefined) await chmod(directory, 0o700)
  // On Windows the mode says nothing: there the profile's ACL decides.
  else if (process.platform !== 'win32' && ((await stat(directory)).mode & 0o077) !== 0)
    throw new UserError(`Others on this machine can look into ${directory}.`, { next: `chmod 700 ${directory}` })
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${systemCode(error) ?? String(error)}.`, {
      next: 'Make the keys with `onec-relay init`, or say where they are with --private DIR.',
    })
  }
}
