import type { Command } from 'commander'
import { SINK_KINDS } from '../../sinks/index.ts'
import type { Budget, DestinationView } from '../../tenant/rpc.ts'
import { type BudgetFlags, budgetFlags, readBudget } from '../budget-options.ts'
import type { AdminClient, TestResult } from '../client.ts'
import type { CliContext } from '../context.ts'
import { destinationTable } from '../destination-table.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { secretReader } from '../secret-source.ts'
import { commanderOption, knownSink, readSettings, type SettingFlags, settingOptions } from '../setting-options.ts'
import { shellWord } from '../shell-word.ts'
import { plainLine } from '../table.ts'
import { UserError } from '../user-error.ts'
import { duration } from '../wording.ts'
import { addImportCommand } from './destination-import.ts'

type Json = { json?: boolean }
type AddOptions = SettingFlags & BudgetFlags & Json & { sink: string }
type EditOptions = SettingFlags & BudgetFlags & Json & { name?: string }

export function addDestinationCommands(program: Command, context: CliContext): void {
  const destination = program.command('destination').description("a tenant's configured sinks")
  addAdd(destination, context)
  addEdit(destination, context)
  addList(destination, context)
  addTest(destination, context)
  addVerb(destination, context, {
    verb: 'suspend',
    description: 'stop delivering; what arrives is kept within its budget',
    call: (client, tenant, name) => client.suspendDestination(tenant, name),
    next: 'resume',
  })
  addVerb(destination, context, {
    verb: 'resume',
    description: 'deliver again, at once',
    call: (client, tenant, name) => client.resumeDestination(tenant, name),
    next: 'test',
  })
  addRemove(destination, context)
  addImportCommand(destination, context)
}

function addAdd(destination: Command, context: CliContext): void {
  const add = destination
    .command('add')
    .description('add a destination; secrets come from a file or from standard input')
    .argument('<tenant>', 'id or name')
    .argument('<name>', 'a name for it')
    .requiredOption('--sink <kind>', SINK_KINDS.join(', '))
  settingFlags(add).action(async (tenant: string, name: string, options: AddOptions) => {
    const sink = knownSink(options.sink)
    const settings = await readSettings(sink, options, secretReader(context))
    const budget = chosenBudget(options)
    const input = { name, sink: sink.kind, settings, ...(budget && { budget }) }
    const added = await (await operatorClient(context)).addDestination(tenant, input)
    if (options.json) return printJson(context, added)
    context.out(`Added destination ${added.name} (${added.sink}), id ${added.id}.`)
    context.out(`Next: onec-relay destination test ${shellWord(tenant)} ${shellWord(added.name)}`)
  })
}

function addEdit(destination: Command, context: CliContext): void {
  const edit = destination
    .command('edit')
    .description('change settings; what is not named stays, secrets too')
    .argument('<tenant>', 'id or name')
    .argument('<destination>', 'id or name')
    .option('--name <name>', 'a new name')
    .option('--unset <key>', 'take a setting away (repeatable)', collect)
  settingFlags(edit).action(async (tenant: string, name: string, options: EditOptions) => {
    const budget = readBudget(options)
    const client = await operatorClient(context)
    const found = await findDestination(client, tenant, name)
    const settings = await readSettings(knownSink(found.sink), { ...options, name: undefined }, secretReader(context))
    if (options.name === undefined && Object.keys(settings).length === 0 && !budget)
      throw new UserError('Nothing to change was named.', { next: 'onec-relay destination edit --help' })
    const edited = await client.editDestination(tenant, found.id, {
      ...(options.name !== undefined && { name: options.name }),
      ...(Object.keys(settings).length > 0 && { settings }),
      ...(budget && { budget }),
    })
    if (options.json) return printJson(context, edited)
    context.out(`Changed destination ${edited.name} (${edited.sink}), now version ${edited.version}.`)
    context.out(`Next: onec-relay destination test ${shellWord(tenant)} ${shellWord(edited.name)}`)
  })
}

function addList(destination: Command, context: CliContext): void {
  destination
    .command('list')
    .description('list the destinations of a tenant and how delivery goes')
    .argument('<tenant>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: Json) => {
      const answer = await (await operatorClient(context)).destinations(tenant)
      if (options.json) return printJson(context, answer)
      const none = `No destinations yet.\nNext: onec-relay destination add ${shellWord(tenant)} NAME --sink remote-write --url URL`
      context.out(answer.destinations.length > 0 ? destinationTable(answer.destinations, context.now()) : none)
    })
}

function addTest(destination: Command, context: CliContext): void {
  destination
    .command('test')
    .description("send the relay's own samples now; exit code 1 when they are not taken")
    .argument('<tenant>', 'id or name')
    .argument('<destination>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, options: Json) => {
      const result = await (await operatorClient(context)).testDestination(tenant, name)
      if (options.json) printJson(context, result)
      else if (result.outcome.kind === 'delivered') context.out(`${name} took the test in ${duration(result.tookMs)}.`)
      if (result.outcome.kind !== 'delivered') throw refusedTest(tenant, name, result)
    })
}

function refusedTest(tenant: string, name: string, { outcome }: TestResult): UserError {
  const reason = outcome.kind === 'delivered' ? '' : `: ${plainLine(outcome.reason)}`
  return new UserError(`${name} did not take the test (${outcome.kind})${reason}`, {
    next: `Correct its settings: onec-relay destination edit ${shellWord(tenant)} ${shellWord(name)} --help`,
    exitCode: 1,
  })
}

interface Verb {
  readonly verb: string
  readonly description: string
  call(client: AdminClient, tenant: string, name: string): Promise<DestinationView>
  readonly next: string
}

function addVerb(destination: Command, context: CliContext, { verb, description, call, next }: Verb): void {
  destination
    .command(verb)
    .description(description)
    .argument('<tenant>', 'id or name')
    .argument('<destination>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, options: Json) => {
      const answer = await call(await operatorClient(context), tenant, name)
      if (options.json) return printJson(context, answer)
      context.out(`${answer.name} is ${answer.state}${answer.reason ? `: ${plainLine(answer.reason)}` : ''}.`)
      context.out(`Next: onec-relay destination ${next} ${shellWord(tenant)} ${shellWord(answer.name)}`)
    })
}

function addRemove(destination: Command, context: CliContext): void {
  destination
    .command('remove')
    .description('remove a destination and what waits for it')
    .argument('<tenant>', 'id or name')
    .argument('<destination>', 'id or name')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, name: string, options: Json) => {
      const answer = await (await operatorClient(context)).removeDestination(tenant, name)
      if (options.json) return printJson(context, answer)
      context.out(`Removed destination ${answer.name}, id ${answer.id}.`)
      context.out(`Next: onec-relay destination list ${shellWord(tenant)}`)
    })
}

/** A new destination has the default where no other bound is named, or where it is named as such. */
function chosenBudget(options: BudgetFlags): Partial<Budget> | undefined {
  const entries = Object.entries(readBudget(options) ?? {}).filter(([, bound]) => bound !== null)
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

/** The sinks' settings as options, and the general forms of them. */
function settingFlags(command: Command): Command {
  for (const option of settingOptions()) command.addOption(commanderOption(option))
  return budgetFlags(command)
    .option('--set <key=value>', 'any setting (repeatable)', collect)
    .option('--secret <key=source>', 'any secret, as key=file:PATH or key=- (repeatable)', collect)
    .option('--json', 'print the answer as JSON')
}

async function findDestination(client: AdminClient, tenant: string, name: string): Promise<DestinationView> {
  const { destinations } = await client.destinations(tenant)
  const found = destinations.find(view => view.id === name) ?? destinations.find(view => view.name === name)
  if (found) return found
  throw new UserError(`The tenant ${tenant} has no destination "${name}".`, {
    next: `onec-relay destination list ${shellWord(tenant)}`,
  })
}

function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
