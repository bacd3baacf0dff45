import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { startEverything } from '../start/start.ts'

export function addStartCommand(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('the whole thing on this machine: relay, agent and, for each sink that nothing names, a stand-in')
    .action(() => startEverything(context))
}
