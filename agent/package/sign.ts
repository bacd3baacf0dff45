import { renameSync } from 'node:fs'
import { UserError } from '../error.ts'
import { runTool } from './tool.ts'

/** Paths of a code-signing certificate and its key; a password is only ever in a file. */
export interface SigningOptions {
  readonly cert?: string
  readonly key?: string
  readonly pfx?: string
  /** `file:PATH`, of the key or the PFX. */
  readonly password?: string
  /** An RFC 3161 service: with its word a signature outlives its certificate. */
  readonly timestamp?: string
}

/** Arguments of `osslsigncode sign` that say with what; undefined when there is no certificate. Fails with a UserError. */
export function signingArguments(options: SigningOptions): string[] | undefined {
  const { cert, key, pfx, password, timestamp } = options
  if (!cert && !key && !pfx && !password && !timestamp) return undefined
  if (pfx ? cert || key : !(cert && key)) throw new UserError('Sign with --cert FILE --key FILE, or with --pfx FILE.')
  if (password && !password.startsWith('file:'))
    throw new UserError('A password is given as --password file:PATH: a command line can be read by others.')
  return [
    ...(pfx ? ['-pkcs12', pfx] : ['-certs', `${cert}`, '-key', `${key}`]),
    ...(password ? ['-readpass', password.slice('file:'.length)] : []),
    ...['-h', 'sha256', '-n', 'onec-agent'],
    ...(timestamp ? ['-ts', timestamp] : []),
  ]
}

/** Signs an executable or an installer in place. */
export async function signFile(file: string, args: readonly string[]): Promise<void> {
  await runTool('osslsigncode', ['sign', ...args, '-in', file, '-out', `${file}.signed`])
  renameSync(`${file}.signed`, file)
}
