import { Command } from 'commander'
import { printable } from '../doctor/text/wrap.ts'
import { VERSION } from '../version.ts'
import { backupCommand } from './backup.ts'
import { print, stateOption } from './context.ts'
import { doctorCommand } from './doctor.ts'
import { enrolCommand } from './enrol.ts'
import { networkCommand } from './network.ts'
import { onceCommand } from './once.ts'
import { runCommand } from './run.ts'
import { serviceCommand } from './service.ts'
import { statusCommand } from './status.ts'

/** The command line. Actions fail with a UserError for what a person can put right. */
export function buildProgram(): Command {
  const program = new Command('onec-agent')
    .version(VERSION)
    .description('Takes a snapshot of this machine and its backups every minute and sends it to the relay.')
    // `--state` is also what `backup report` calls the backup's: each belongs to the word before it.
    .enablePositionalOptions()
    .addOption(stateOption())
  for (const command of [
    enrolCommand(),
    runCommand(),
    onceCommand(),
    statusCommand(),
    networkCommand(),
    doctorCommand(),
  ])
    program.addCommand(command.addOption(stateOption()))
  program.addCommand(backupCommand())
  program.addCommand(serviceCommand())
  program
    .command('version')
    .description('Print the version')
    .action(() => print(VERSION))
  settleMistakes(program)
  return program
}

/** A wrong command line is a CommanderError; what an unknown option holds, or stands alone, may be a secret. */
function settleMistakes(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) =>
      write(printable(text.replace(/(--[\w-]+)=.*'/gs, "$1=…'").replace(/( but got \d+): .*/gs, '$1.\n'))),
  })
  for (const each of command.commands) settleMistakes(each)
}
