import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { readLimit } from '../limit.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { table } from '../table.ts'
import { timestamp } from '../wording.ts'

export function addEventCommands(program: Command, context: CliContext): void {
  program
    .command('event')
    .description('what changed: hosts, backups, destinations')
    .command('list')
    .description('list the newest events of a tenant')
    .argument('<tenant>', 'id or name')
    .option('--limit <n>', 'how many', '100')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: { limit: string; json?: boolean }) => {
      const answer = await (await operatorClient(context)).events(tenant, readLimit(options.limit))
      if (options.json) return printJson(context, answer)
      const rows = answer.events.map(event => [timestamp(event.atMs), event.kind, event.subject, event.message])
      context.out(rows.length > 0 ? table(['TIME', 'KIND', 'SUBJECT', 'MESSAGE'], rows) : 'No events yet.')
    })
}
