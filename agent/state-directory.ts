import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { systemCode, UserError } from './error.ts'
import { makePrivateDirectory as makeOnPosix } from './file.ts'
import type { Log } from './log.ts'
import { makePrivate, makePrivateDirectory, readSecurity } from './windows/acl.ts'
import { readProcessToken } from './windows/process-token.ts'
import { judgePrivacy, type Privacy, type Security } from './windows/sddl.ts'

/** The state directory cannot be trusted: a service must not begin with what somebody else put there. */
export class UntrustedStateError extends UserError {
  override name = 'UntrustedStateError'
}

/**
 * Makes the state directory, private to its owner, and closes one that lies open, with a line that says so. Fails with
 * an UntrustedStateError where another Windows user made it or put something into it, and where it is a link: ProgramData
 * lets everybody make a directory beforehand.
 */
export function secureStateDirectory(directory: string, log: Log): void {
  if (process.platform === 'win32') secureOnWindows(directory, log, { ...readProcessToken(), ...WINDOWS })
  else secureOnPosix(directory, log)
}

/** Who asks, and what Windows answers him. */
export interface Access {
  readonly elevated: boolean
  readonly sid: string
  /** False when something of that name is there. */
  readonly makePrivateDirectory: (directory: string) => boolean
  readonly readSecurity: (name: string) => Security | undefined
  readonly makePrivate: (directory: string) => void
}

const WINDOWS = { makePrivateDirectory, readSecurity, makePrivate }

/** Without an administrator's rights the directory is a person's own, and stays as the system made it. */
export function secureOnWindows(directory: string, log: Log, access: Access): void {
  mkdirSync(access.elevated ? path.dirname(directory) : directory, { recursive: true })
  if (!access.elevated || access.makePrivateDirectory(directory)) return
  const privacy = requireTrusted(directory, access.readSecurity(directory), access)
  if (privacy.kind === 'private') return
  // Others could put something into it, which stays theirs whatever its directory lets them do.
  requireTrustedBelow(directory, access)
  access.makePrivate(directory)
  // An empty one that others may write to they may make a link, until now.
  requireTrusted(directory, access.readSecurity(directory), access)
  const whom = privacy.trustees.join(', ')
  log('warn', `${directory} was open to others${whom && ` (${whom})`}; now only SYSTEM and administrators get in`)
}

type TrustedPrivacy = Exclude<Privacy, { kind: 'foreign' | 'link' }>

function requireTrusted(name: string, security: Security | undefined, { sid }: Access): TrustedPrivacy {
  const privacy = judgePrivacy(security ?? { sddl: '', isLink: false }, sid)
  if (privacy.kind === 'foreign')
    throw new UntrustedStateError(
      `${name} was made by another user (${privacy.owner}), so what is in it cannot be trusted. Delete it as administrator and try again.`,
    )
  if (privacy.kind === 'link')
    throw new UntrustedStateError(
      `${name} is a link, and may lead elsewhere tomorrow. Delete it as administrator and try again; another directory is named with --state.`,
    )
  return privacy
}

function requireTrustedBelow(directory: string, access: Access): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const name = path.join(directory, entry.name)
    const security = access.readSecurity(name)
    // Gone since it was listed: an agent that runs replaces its files.
    if (security === undefined) continue
    requireTrusted(name, security, access)
    if (entry.isDirectory()) requireTrustedBelow(name, access)
  }
}

function secureOnPosix(directory: string, log: Log): void {
  makeOnPosix(directory)
  const files = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isFile())
  for (const name of [directory, ...files.map(file => path.join(directory, file.name))]) {
    const { mode } = statSync(name)
    if ((mode & 0o077) === 0) continue
    try {
      chmodSync(name, mode & 0o700)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      log('warn', `${name} is open to others (mode ${(mode & 0o777).toString(8)}) and belongs to another user`)
      continue
    }
    log('warn', `${name} was open to others (mode ${(mode & 0o777).toString(8)}); now only its owner gets in`)
  }
}
