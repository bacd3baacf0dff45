import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { UserError } from '../user-error.ts'
import { duration, readDuration, timestamp } from '../wording.ts'

interface EnrolOptions {
  readonly uses?: string
  readonly expires?: string
  readonly note?: string
  readonly json?: boolean
}

export function addEnrolCommands(program: Command, context: CliContext): void {
  program
    .command('enrol')
    .description('codes with which hosts join a tenant')
    .command('create')
    .description('make an enrolment code; it is shown this once')
    .argument('<tenant>', 'id or name')
    .option('--uses <n>', 'how many hosts may use it', '1')
    .option('--expires <time>', 'how long it is good for: 30m, 24h, 7d', '24h')
    .option('--note <text>', 'what it is for')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: EnrolOptions) => {
      const client = await operatorClient(context)
      const answer = await client.addEnrolment(tenant, readOptions(options))
      if (options.json) return printJson(context, answer)
      const hosts = answer.usesLeft === 1 ? 'one host' : `${answer.usesLeft} hosts`
      const left = duration(answer.expiresAtMs - context.now())
      context.out(
        `Enrolment code for ${hosts}, good for ${left} (until ${timestamp(answer.expiresAtMs)}): ${answer.code}`,
      )
      context.out(`Next, on the host: onec-agent enrol --relay ${client.url} --code ${answer.code}`)
    })
}

function readOptions({ uses = '1', expires = '24h', note }: EnrolOptions) {
  const expiresInMs = readDuration(expires)
  if (!/^[1-9]\d{0,5}$/.test(uses))
    throw new UserError(`--uses is "${uses}".`, { next: 'It takes a number of hosts, such as --uses 20.' })
  if (!expiresInMs)
    throw new UserError(`--expires is "${expires}".`, { next: 'It takes a time such as 30m, 24h or 7d.' })
  return { uses: Number(uses), expiresInMs, ...(note !== undefined && { note }) }
}
