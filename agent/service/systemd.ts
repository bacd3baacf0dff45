import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { systemCode, UserError } from '../error.ts'
import { readTextIfThere, removeIfThere, writeFileAtomic } from '../file.ts'
import type { Service } from './service.ts'
import { systemdUnit } from './systemd-unit.ts'

const UNIT = 'onec-agent.service'
const UNIT_FILE = path.join('/etc/systemd/system', UNIT)
/** The manager waits for a stop of 25 s at most. */
const COMMAND_DEADLINE_MS = 60_000

/** Runs `systemctl` with these words; resolves to its output, rejects where it fails or takes too long. */
export type Systemctl = (...words: string[]) => Promise<string>

export const systemctl: Systemctl = async (...words) => {
  const { stdout } = await promisify(execFile)('systemctl', words, { timeout: COMMAND_DEADLINE_MS })
  return stdout.trim()
}

/** Anything else runs, or will soon: between a failure and its restart a unit is "activating". */
const AT_REST = new Set(['inactive', 'failed', 'unknown'])

/** As sd_booted(3) tells it. */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system')

export interface SystemdOptions {
  readonly systemctl: Systemctl
  readonly booted: boolean
  /** Program and words. Fails with a UserError where root must not run this program. */
  readonly command: () => readonly string[]
  readonly stateDirectory: string
  readonly unitFile?: string
}

export function systemdService(options: SystemdOptions): Service {
  const { booted, command, stateDirectory, unitFile = UNIT_FILE } = options

  async function manage(...words: string[]): Promise<void> {
    try {
      await options.systemctl(...words)
    } catch (error) {
      throw new UserError(`systemctl ${words.join(' ')} failed: ${lastLine(error)}. Look: journalctl -u ${UNIT} -n 20`)
    }
  }

  /** The command fails for every state but "active", and tells it all the same. */
  async function stateOf(): Promise<string> {
    const state = await options.systemctl('is-active', UNIT).catch(error => String(error?.stdout ?? '').trim())
    return state || 'unknown'
  }

  return {
    checkRights() {
      explained(unitFile, () => accessSync(path.dirname(unitFile), constants.W_OK))
      command()
    },
    async install() {
      const updated = readTextIfThere(unitFile) !== undefined
      const unit = systemdUnit({ command: command(), stateDirectory })
      explained(unitFile, () => writeFileAtomic(unitFile, unit, 0o644))
      if (booted) {
        await manage('daemon-reload')
        await manage('enable', UNIT)
      }
      return `${unitFile} ${updated ? 'updated' : 'written'}`
    },
    async start() {
      if (!booted) throw new UserError('systemd does not run here. Start the agent by hand: onec-agent run')
      await manage('restart', UNIT)
    },
    async stop() {
      if (!booted || readTextIfThere(unitFile) === undefined || AT_REST.has(await stateOf())) return false
      await manage('stop', UNIT)
      return true
    },
    async uninstall() {
      if (readTextIfThere(unitFile) === undefined) return `There is no ${unitFile}`
      if (booted) await manage('disable', '--now', UNIT)
      removeIfThere(unitFile)
      if (booted) await manage('daemon-reload')
      return `${unitFile} removed`
    },
    async describe() {
      if (readTextIfThere(unitFile) === undefined) return 'Service: not installed'
      if (!booted) return `Service: ${unitFile}, but systemd does not run here`
      return `Service ${UNIT}: ${await stateOf()}`
    },
  }
}

function explained(unitFile: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') throw new UserError(`There is no ${path.dirname(unitFile)}: systemd is not installed here.`)
    if (code === 'EACCES' || code === 'EPERM') throw new UserError(`${unitFile} is root's: run this with sudo.`)
    throw error
  }
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string }
  return (stderr || message || String(error)).trim().split('\n').at(-1)?.replace(/\.$/, '') ?? ''
}
