import { execFile } from 'node:child_process'
import { UserError } from '../error.ts'

const TIMEOUT_MS = 5 * 60_000

/** Exit code of `env` for a program that is not there. */
const NOT_FOUND = 127

/** Debian's package of a tool, where the two have different names. */
const PACKAGES: Record<string, string> = { strip: 'binutils', msibuild: 'msitools', msiinfo: 'msitools' }

/**
 * Runs a tool to its end and gives what it printed. Fails with a UserError when it is not installed, takes over five
 * minutes, or says that it failed.
 */
export function runTool(program: string, args: readonly string[], directory?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024, ...(directory && { cwd: directory }) }
    // The same output in every time zone and language: a cabinet has local times.
    execFile('env', ['TZ=UTC', 'LC_ALL=C.UTF-8', program, ...args], options, (error, out, err) => {
      if (!error) resolve(out)
      else if (error.code === NOT_FOUND) reject(new UserError(missingTool(program)))
      else reject(new UserError(`${program} failed: ${(err || out).trim().slice(-1_000) || error.message}`))
    })
  })
}

export function missingTool(program: string): string {
  return `${program} is not installed. On Debian: apt-get install ${PACKAGES[program] ?? program}`
}
