import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { systemCode, UserError } from './error.ts'
import { makePrivateDirectory as makeOnPosix } from './file.ts'
import type { Log } from './log.ts'
import { makePrivate, makePrivateDirectory, readSddl } from './windows/acl.ts'
import { readProcessToken } from './windows/process-token.ts'
import { judgePrivacy } from './windows/sddl.ts'

/** The state directory cannot be trusted: a service must not begin with what somebody else put there. */
export class UntrustedStateError extends UserError {
  override name = 'UntrustedStateError'
}

/**
 * Makes the state directory, private to its owner, and closes one that lies open, with a line that says so. Fails with
 * an UntrustedStateError where another Windows user made it: ProgramData lets everybody make a directory beforehand.
 */
export function secureStateDirectory(directory: string, log: Log): void {
  if (process.platform === 'win32') secureOnWindows(directory, log)
  else secureOnPosix(directory, log)
}

/** Without an administrator's rights the directory is a person's own, and stays as the system made it. */
function secureOnWindows(directory: string, log: Log): void {
  const { elevated, sid } = readProcessToken()
  mkdirSync(elevated ? path.dirname(directory) : directory, { recursive: true })
  if (!elevated || makePrivateDirectory(directory)) return
  const privacy = judgePrivacy(readSddl(directory) ?? '', sid)
  if (privacy.kind === 'foreign')
    throw new UntrustedStateError(
      `${directory} was made by another user (${privacy.owner}), so what is in it cannot be trusted. Delete it as administrator and try again.`,
    )
  if (privacy.kind === 'private') return
  makePrivate(directory)
  const whom = privacy.trustees.join(', ')
  log('warn', `${directory} was open to others${whom && ` (${whom})`}; now only SYSTEM and administrators get in`)
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
