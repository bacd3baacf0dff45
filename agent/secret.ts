import { describeError, systemCode, UserError } from './error.ts'
import { readTextIfThere, writeFileAtomic } from './file.ts'
import { seal, unseal } from './windows/dpapi.ts'

/** Encrypts for this machine alone. `unseal` fails with a UserError for what another machine sealed. */
export interface Sealer {
  seal(plain: Buffer): Buffer
  unseal(sealed: Buffer): Buffer
}

/** Where the system has no key of its own for this, the file's mode is the protection. */
const platformSealer = (): Sealer | undefined => (process.platform === 'win32' ? { seal, unseal } : undefined)

/** Says how what follows was made, so that a later release can do it otherwise. */
const SEALED = 'dpapi1:'

/**
 * A secret in a file of its own that only its owner reads: 0600, on Windows sealed with DPAPI and closed by the
 * directory's ACL. Absent when there is none. What an older agent left unsealed is sealed now. Throws the system's
 * error; fails with a UserError for a file that was sealed on another machine.
 */
export function readSecret(file: string, sealer = platformSealer()): string | undefined {
  const text = readTextIfThere(file)?.trim()
  if (!text) return undefined
  if (text.startsWith(SEALED)) return open(file, text, sealer)
  if (sealer) sealIfPossible(file, text, sealer)
  return text
}

export function writeSecret(file: string, secret: string, sealer = platformSealer()): void {
  writeFileAtomic(file, `${sealer ? SEALED + sealer.seal(Buffer.from(secret)).toString('base64') : secret}\n`)
}

function open(file: string, text: string, sealer: Sealer | undefined): string {
  const again = 'A copied disk or a new machine: enrol this host again (a NAS or proxy password: set it again)'
  if (!sealer) throw new UserError(`${file} was sealed by Windows and cannot be opened here. ${again}.`)
  try {
    return sealer.unseal(Buffer.from(text.slice(SEALED.length), 'base64')).toString()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${file} cannot be opened: ${describeError(error)}. ${again}.`)
  }
}

/** On a full disk the secret is of use all the same; the next reading tries again. */
function sealIfPossible(file: string, secret: string, sealer: Sealer): void {
  try {
    writeSecret(file, secret, sealer)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}
