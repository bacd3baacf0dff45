import type { Command } from 'commander'
import type { TenantSummary } from '../client.ts'
import type { CliContext } from '../context.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { shellWord } from '../shell-word.ts'
import { table } from '../table.ts'

export function addTenantCommands(program: Command, context: CliContext): void {
  const tenant = program.command('tenant').description('the clients whose hosts this relay looks after')

  tenant
    .command('add')
    .description('add a tenant')
    .argument('<name>', 'its name, in any script')
    .option('--id <id>', 'its ASCII id in tokens and URLs; made from the name when left out')
    .option('--json', 'print the answer as JSON')
    .action(async (name: string, options: { id?: string; json?: boolean }) => {
      const client = await operatorClient(context)
      const added = await client.addTenant({ name, ...(options.id !== undefined && { id: options.id }) })
      if (options.json) return printJson(context, added)
      context.out(`Added tenant ${added.name}, id ${added.id}.`)
      context.out(`Next: onec-relay enrol create ${shellWord(added.id)}`)
    })

  tenant
    .command('list')
    .description('list the tenants and how many of their hosts are in which state')
    .option('--json', 'print the answer as JSON')
    .action(async (options: { json?: boolean }) => {
      const answer = await (await operatorClient(context)).tenants()
      if (options.json) return printJson(context, answer)
      context.out(
        answer.tenants.length > 0
          ? tenantTable(answer.tenants)
          : 'No tenants yet.\nNext: onec-relay tenant add "ООО Ромашка"',
      )
    })
}

const STATES = ['up', 'late', 'down', 'pending', 'disabled'] as const

function tenantTable(tenants: readonly TenantSummary[]): string {
  const rows = tenants.map(({ name, id, hosts }) => [
    name,
    id,
    String(hosts.total),
    ...STATES.map(state => String(hosts.byState[state])),
  ])
  return table(['NAME', 'ID', 'HOSTS', ...STATES.map(state => state.toUpperCase())], rows)
}
