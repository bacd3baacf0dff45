import { type Command, Option } from 'commander'
import { systemClock } from '../clock.ts'
import { type Environment, readEnvironment, type StatePaths, statePaths } from '../config.ts'
import { createLog } from '../log.ts'

export const log = createLog(systemClock, { out: process.stdout, err: process.stderr })

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

export interface Context {
  readonly environment: Environment
  readonly paths: StatePaths
}

export const stateOption = (): Option =>
  new Option('--state <dir>', 'state directory (default: ONEC_AGENT_STATE, or the usual place)')

/** The state directory as the nearest command before or at `command` has it, else the environment's. */
export function contextOf(command: Command | null): Context {
  const environment = readEnvironment()
  for (let at = command; at; at = at.parent) {
    const { state } = at.opts<{ state?: string }>()
    if (state !== undefined) return { environment, paths: statePaths(state) }
  }
  return { environment, paths: statePaths(environment.stateDirectory) }
}
