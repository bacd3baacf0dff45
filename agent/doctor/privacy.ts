import { statSync } from 'node:fs'
import type { StatePaths } from '../config.ts'
import { describeError, systemCode, UserError } from '../error.ts'
import { readSecurity } from '../windows/acl.ts'
import { readProcessToken } from '../windows/process-token.ts'
import { judgePrivacy } from '../windows/sddl.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

/** Who else may look into the state directory. */
export function privacyCheck(paths: StatePaths): Check {
  return {
    name: 'state directory',
    deadlineMs: 5_000,
    async run() {
      const { directory, token, proxyLogin } = paths
      const looks = [directory, token, proxyLogin].flatMap(look)
      return looks.length > 0 ? looks : [finding('state.private', { directory })]
    },
  }
}

function look(path: string): Finding[] {
  try {
    const detail = process.platform === 'win32' ? othersOnWindows(path) : othersByMode(statSync(path).mode)
    return detail === undefined ? [] : [finding('state.open', { path, detail })]
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined && !(error instanceof UserError)) throw error
    return code === 'ENOENT' ? [] : [finding('state.unreadable', { path, reason: describeError(error) })]
  }
}

/** Rights of the group and of all others; absent when they have none. */
export const othersByMode = (mode: number): string | undefined =>
  (mode & 0o077) === 0 ? undefined : `mode ${(mode & 0o777).toString(8)}`

function othersOnWindows(path: string): string | undefined {
  const security = readSecurity(path)
  if (security === undefined) return undefined
  // Files inherit from the directory, and are not protected by themselves. An administrator may own what he made.
  const privacy = judgePrivacy(security, readProcessToken().sid)
  if (privacy.kind === 'foreign') return `owner ${privacy.owner}`
  if (privacy.kind === 'link') return 'a link'
  return privacy.kind === 'wider' && privacy.trustees.length > 0 ? privacy.trustees.join(', ') : undefined
}
