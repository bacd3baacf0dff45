import type { Command } from 'commander'
import type { AdminClient, TenantSummary } from '../client.ts'
import type { CliContext } from '../context.ts'
import { importDestinations } from '../destination-import.ts'
import { absolute, httpAllowed, readEnvFile } from '../environment.ts'
import { type ImportRecord, readImportRecord, writeImportRecord } from '../import-record.ts'
import { operatorClient, operatorImportRecord } from '../operator.ts'
import { printJson } from '../print.ts'
import { destinationsFromEnv } from '../seed-destinations.ts'
import { shellWord } from '../shell-word.ts'
import { table } from '../table.ts'
import { systemCode, UserError } from '../user-error.ts'

interface ImportOptions {
  readonly file?: string
  readonly allowHttp?: boolean
  readonly json?: boolean
}

export function addImportCommand(destination: Command, context: CliContext): void {
  destination
    .command('import-env')
    .description('add or change the destinations that a .env of the seed guide names')
    .argument('<tenant>', 'id or name')
    .option('--file <path>', 'this file alone; otherwise the environment over .env here')
    .option('--allow-http', 'let plain http URLs leave this machine')
    .option('--json', 'print what was done as JSON')
    .action(async (tenant: string, options: ImportOptions) => {
      const { file } = options
      const variables = file === undefined ? context.variables : readEnvFile(absolute(context.workingDirectory, file))
      const { destinations, warnings } = destinationsFromEnv(variables, options.allowHttp || httpAllowed(variables))
      for (const warning of warnings) context.err(`Warning: ${warning}`)
      if (destinations.length === 0)
        throw new UserError(`${file ?? 'Neither the environment nor .env'} names ${file ? 'no' : 'a'} destination.`, {
          next: 'Set GRAFANA_PROMETHEUS_URL, PROMETHEUS_PUSHGATEWAY_URL, INFLUXDB_URL or GRAFANA_LOKI_URL.',
        })
      const client = await operatorClient(context)
      const { id } = await findTenant(client, tenant)
      const path = operatorImportRecord(context)
      const { imported, record } = await importDestinations(client, id, destinations, await readImportRecord(path))
      await keepRecord(context, path, record)
      if (options.json) return printJson(context, { destinations: imported })
      context.out(
        table(
          ['NAME', 'SINK', 'FROM', 'DONE'],
          imported.map(one => [one.name, one.sink, one.from, one.did]),
        ),
      )
      context.out(`Next: onec-relay destination list ${shellWord(tenant)}`)
    })
}

async function findTenant(client: AdminClient, tenant: string): Promise<TenantSummary> {
  const { tenants } = await client.tenants()
  const found = tenants.find(one => one.id === tenant) ?? tenants.find(one => one.name === tenant)
  if (found) return found
  throw new UserError(`There is no tenant "${tenant}".`, { next: `onec-relay tenant add ${shellWord(tenant)}` })
}

/** Without it the next import edits what it need not: worth a line, not a failure. */
async function keepRecord(context: CliContext, path: string, record: ImportRecord): Promise<void> {
  try {
    await writeImportRecord(path, record)
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    context.err(`Warning: ${path} cannot be written (${code}), so the next import will edit every destination anew.`)
  }
}
