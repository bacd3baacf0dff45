import { realpathSync } from 'node:fs'
import { isSea } from 'node:sea'
import { systemClock } from '../clock.ts'
import { type Environment, type StatePaths, statePaths } from '../config.ts'
import { UserError } from '../error.ts'
import { windowsServices } from '../windows/service-manager.ts'
import { placeProgram, requireOnlyOwners } from './program-files.ts'
import type { Service } from './service.ts'
import { systemctl, systemdRuns, systemdService } from './systemd.ts'
import { windowsService } from './windows.ts'

/** The service of the system that this process runs on, for this state directory. */
export function platformService(paths: StatePaths, environment: Environment): Service {
  const words = serviceWords(paths, environment)
  if (process.platform === 'win32') {
    const options = { manager: windowsServices, clock: systemClock, words, logs: paths.logs }
    return windowsService({ ...options, placeProgram: () => placeThisProgram(environment) })
  }
  if (process.platform !== 'linux') throw new UserError('There are services for Windows and for systemd alone.')
  const command = () => [...thisProgram().map(file => requireOnlyOwners(file)), ...words]
  return systemdService({ systemctl, booted: systemdRuns(), command, stateDirectory: paths.directory })
}

/** Behind the program in the service's command line. */
export function serviceWords(paths: StatePaths, environment: Environment): string[] {
  const usual = statePaths(environment.stateDirectory).directory
  return [...(paths.directory === usual ? [] : ['--state', paths.directory]), 'service', 'run']
}

function placeThisProgram(environment: Environment): string {
  if (!isSea()) throw new UserError('The service of Windows is made by onec-agent.exe itself, not by a script.')
  return placeProgram(process.execPath, environment.programFiles)
}

/** This program by its true path: the single executable, or Node and the script. */
function thisProgram(): string[] {
  const script = process.argv[1]
  return isSea() || script === undefined ? [process.execPath] : [process.execPath, realpathSync(script)]
}
