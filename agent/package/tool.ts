import { execFile } from 'node:child_process'
import { systemCode, UserError } from '../error.ts'

const TIMEOUT_MS = 5 * 60_000

/** Debian's package of a tool, where the two have different names. */
const PACKAGES: Record<string, string> = { strip: 'binutils', msibuild: 'msitools', msiinfo: 'msitools' }

/**
 * Runs a tool to its end and gives what it printed. Fails with a UserError when it is not installed, takes over five
 * minutes, or says that it failed.
 */
export function runTool(program: string, args: readonly string[], directory?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024, ...(directory && { cwd: directory }) }
    execFile(program, args, options, (error, out, err) => {
      if (!error) resolve(out)
      else if (systemCode(error) === 'ENOENT') reject(new UserError(missingTool(program)))
      else reject(new UserError(`${program} failed: ${(err || out).trim().slice(-1_000) || error.message}`))
    })
  })
}

export function missingTool(program: string): string {
  return `${program} is not installed. On Debian: apt-get install ${PACKAGES[program] ?? program}`
}
