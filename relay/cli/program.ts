import { Command, CommanderError } from 'commander'
import { RELAY_VERSION } from '../version.ts'
import { addDeadLetterCommands } from './commands/dead-letter.ts'
import { addDestinationCommands } from './commands/destination.ts'
import { addEnrolCommands } from './commands/enrol.ts'
import { addEventCommands } from './commands/event.ts'
import { addHostCommands } from './commands/host.ts'
import { addInitCommand } from './commands/init.ts'
import { addServeCommand } from './commands/serve.ts'
import { addStartCommand } from './commands/start.ts'
import { addTenantCommands } from './commands/tenant.ts'
import type { CliContext } from './context.ts'
import { UserError } from './user-error.ts'

const USAGE = 2

/** Runs one command line, without the program's own name. Resolves with the exit code; rejects on a bug only. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  try {
    await commandLine(context).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
    if (!(error instanceof UserError)) throw error
    context.err(`onec-relay: ${error.message}`)
    if (error.next !== undefined) context.err(`  Next: ${error.next}`)
    return error.exitCode
  }
}

function commandLine(context: CliContext): Command {
  const program = new Command('onec-relay')
    .description('Takes snapshots from 1C servers and delivers them to Prometheus, Pushgateway, InfluxDB and Loki.')
    .version(RELAY_VERSION)
    .addHelpText('after', '\nReads ONEC_RELAY_URL and ONEC_RELAY_TOKEN_FILE, from the environment or .env.')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: text => context.out(text.trimEnd()),
      writeErr: text => context.err(text.trimEnd()),
      // An unknown option may carry a secret that was meant for a known one.
      outputError: (text, write) =>
        write(text.replace(/(--[\w-]+)=[^\s']*/g, '$1=…').replace(/^error: /, 'onec-relay: ')),
    })
  addInitCommand(program, context)
  addServeCommand(program, context)
  addStartCommand(program, context)
  addTenantCommands(program, context)
  addEnrolCommands(program, context)
  addHostCommands(program, context)
  addDestinationCommands(program, context)
  addEventCommands(program, context)
  addDeadLetterCommands(program, context)
  return program
}
