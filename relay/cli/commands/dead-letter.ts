import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { readLimit } from '../limit.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { table } from '../table.ts'
import { timestamp } from '../wording.ts'

export function addDeadLetterCommands(program: Command, context: CliContext): void {
  program
    .command('dead-letter')
    .description('what a destination refused for good, with its reason')
    .command('list')
    .description('list the newest dead letters of a tenant')
    .argument('<tenant>', 'id or name')
    .option('--limit <n>', 'how many', '100')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: { limit: string; json?: boolean }) => {
      const answer = await (await operatorClient(context)).deadLetters(tenant, readLimit(options.limit))
      if (options.json) return printJson(context, answer)
      const rows = answer.deadLetters.map(letter => [
        String(letter.id),
        timestamp(letter.atMs),
        letter.destination,
        letter.host,
        String(letter.samples),
        timestamp(letter.fromMs),
        timestamp(letter.toMs),
        letter.reason,
      ])
      const header = ['ID', 'TIME', 'DESTINATION', 'HOST', 'SAMPLES', 'FROM', 'TO', 'REASON']
      context.out(rows.length > 0 ? table(header, rows) : 'No dead letters.')
    })
}
