import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { readTextIfThere } from '../file.ts'
import { readOwner } from '../lock.ts'
import { conditionOf, formatStatus, readStatus } from '../status.ts'
import { contextOf, print } from './context.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('What the agent does, and what keeps it from it')
    .option('--json', 'as JSON', false)
    .action((options: { json: boolean }, command: Command) => {
      const { paths } = contextOf(command)
      const condition = conditionOf({
        enrolled: readTextIfThere(paths.config) !== undefined,
        removed: readTextIfThere(paths.removed) !== undefined,
        owner: readOwner(paths.lock),
      })
      const view = { condition, stateDirectory: paths.directory, agent: readStatus(paths.status) ?? null }
      print(options.json ? JSON.stringify(view, undefined, 2) : formatStatus(view, systemClock.nowMs()))
    })
}
