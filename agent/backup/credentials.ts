import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { systemCode, UserError } from '../error.ts'
import { makePrivateDirectory, removeIfThere } from '../file.ts'
import { decodeJson } from '../json.ts'
import { readSecret, writeSecret } from '../secret.ts'

/** `share`: a file server or one of its shares; `sql`: an SQL Server, as `sqlcmd -S` has it. */
export type CredentialKind = 'share' | 'sql'

const credential = z.object({
  kind: z.enum(['share', 'sql']),
  target: z.string(),
  user: z.string(),
  password: z.string(),
})
export type Credential = z.output<typeof credential>

/** User names and passwords for what backups lie on, each sealed in a file of its own in the state directory. */
export interface Credentials {
  find(kind: CredentialKind, target: string): Credential | undefined
  /** Without passwords, in the order of their targets. */
  list(): Omit<Credential, 'password'>[]
  set(given: Credential): void
  /** False when there was none. */
  remove(kind: CredentialKind, target: string): boolean
}

export function openCredentials(directory: string): Credentials {
  const fileOf = (kind: CredentialKind, target: string) => {
    const digest = createHash('sha256')
      .update(`${kind}|${normalTarget(kind, target)}`)
      .digest('hex')
      .slice(0, 24)
    return path.join(directory, `${kind}-${digest}`)
  }
  const read = (file: string) => credential.safeParse(decodeJson(readSecret(file))).data
  return {
    find: (kind, target) => read(fileOf(kind, target)),
    list() {
      const found = namesIn(directory).flatMap(name => read(path.join(directory, name)) ?? [])
      return found.map(({ password: _, ...shown }) => shown).toSorted((a, b) => a.target.localeCompare(b.target))
    },
    set(given) {
      makePrivateDirectory(directory)
      writeSecret(fileOf(given.kind, given.target), JSON.stringify(given))
    },
    remove(kind, target) {
      const had = read(fileOf(kind, target)) !== undefined
      removeIfThere(fileOf(kind, target))
      return had
    },
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter(name => /^(share|sql)-[0-9a-f]{24}$/.test(name))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Windows makes no difference between capitals, nor between its two slashes. */
function normalTarget(kind: CredentialKind, target: string): string {
  const text = target.trim().toLowerCase()
  return kind === 'share' ? text.replaceAll('/', '\\').replace(/\\+$/, '') : text
}

/** Checked as a person gave it. Fails with a UserError. */
export function checkCredential(given: Credential): Credential {
  const { kind, target, user, password } = given
  if (kind === 'share' && !/^\\\\[^\\]+(\\[^\\]+)?$/.test(target.replaceAll('/', '\\').replace(/\\+$/, '')))
    throw new UserError(`"${target}" is no share. Example: --share \\\\nas\\backup`)
  if (kind === 'sql' && !/^[^\s-]\S*$/.test(target))
    throw new UserError(`"${target}" is no server. Example: --sql .\\SQL2019`)
  if (!/^[^\p{Cc}\s/-][^\p{Cc}]{0,255}$/u.test(user))
    throw new UserError('A user name is at most 256 characters. Example: --user NAS\\backup')
  if (password === '' || /\p{Cc}/u.test(password) || password.length > 512)
    throw new UserError('A password is 1 to 512 characters on one line.')
  return given
}

/** `\\server\share` of a path on a file server, in Windows' slashes; absent for any other path. */
export function shareOf(place: string): string | undefined {
  const plain = place.replaceAll('/', '\\').replace(/^\\\\\?\\UNC\\/i, '\\\\')
  return /^\\\\[^\\?.][^\\]*\\[^\\]+/.exec(plain)?.[0]
}

/** The credential for a path: its share's, else its server's. */
export function credentialFor(credentials: Credentials, place: string): Credential | undefined {
  const share = shareOf(place)
  if (share === undefined) return undefined
  return credentials.find('share', share) ?? credentials.find('share', share.replace(/\\[^\\]+$/, ''))
}
