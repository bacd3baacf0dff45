import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { endAfterOutput } from '../exit.ts'
import { formatSnapshot, takeOnce } from '../once.ts'
import { contextOf, print } from './context.ts'

export function onceCommand(): Command {
  return new Command('once')
    .description('Take one snapshot and print it; nothing is sent')
    .option('--json', 'as JSON', false)
    .action(async (options: { json: boolean }, command: Command) => {
      const { environment, paths } = contextOf(command)
      const once = await takeOnce(paths, environment, systemClock)
      print(options.json ? JSON.stringify(once.snapshot, undefined, 2) : formatSnapshot(once))
      // A family that hangs is named, and must not keep this waiting.
      await endAfterOutput(0)
    })
}
