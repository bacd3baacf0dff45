import { Command } from 'commander'
import { NotEnrolledError, readToken, type StatePaths, widenThreadPool } from '../config.ts'
import { keepHeapSmall } from '../heap.ts'
import { runUnit, runWindowsService } from '../service/entry.ts'
import { platformService } from '../service/platform.ts'
import { secureStateDirectory } from '../state-directory.ts'
import { contextOf, log, print, stateOption } from './context.ts'

export function serviceCommand(): Command {
  const install = new Command('install')
    .description('Make onec-agent a service that begins with the machine, and start it')
    .action((_, command: Command) => installAction(command))
  const uninstall = new Command('uninstall')
    .description('Stop the service and remove it; state and logs stay')
    .action(async (_, command: Command) => {
      const { environment, paths } = contextOf(command)
      print(await platformService(paths, environment).uninstall())
      print(`Configuration, spool and logs stay in ${paths.directory}`)
    })
  const status = new Command('status')
    .description('Whether the service is there and runs')
    .action(async (_, command: Command) => {
      const { environment, paths } = contextOf(command)
      print(await platformService(paths, environment).describe())
    })
  // What the service manager calls.
  const run = new Command('run').action(runAction)
  const service = new Command('service').description('The service of Windows or systemd')
  for (const command of [install, uninstall, status]) service.addCommand(command.addOption(stateOption()))
  return service.addCommand(run.addOption(stateOption()), { hidden: true })
}

async function installAction(command: Command): Promise<void> {
  const { environment, paths } = contextOf(command)
  const service = platformService(paths, environment)
  service.checkRights()
  // The service would end with a code alone: what is wrong with the directory is said here.
  secureStateDirectory(paths.directory, log)
  print(await service.install())
  if (!isEnrolled(paths))
    return print('It starts when this host is enrolled: onec-agent enrol --service --relay URL --code CODE')
  await service.start()
  print('It runs. Look at it: onec-agent status')
}

function isEnrolled(paths: StatePaths): boolean {
  try {
    readToken(paths)
    return true
  } catch (error) {
    if (error instanceof NotEnrolledError) return false
    throw error
  }
}

async function runAction(_: unknown, command: Command): Promise<void> {
  const { environment, paths } = contextOf(command)
  const options = { environment, paths, random: Math.random }
  keepHeapSmall()
  widenThreadPool()
  if (process.platform === 'win32') await runWindowsService(options)
  else process.exitCode = await runUnit(options, log)
}
