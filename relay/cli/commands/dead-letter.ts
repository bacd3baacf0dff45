import type { Command } from 'commander'
import type { DeadLetterFilter, DeadLetterSelection, DeadLettersLeft } from '../../tenant/rpc.ts'
import type { AdminClient } from '../client.ts'
import type { CliContext } from '../context.ts'
import { letterDetail, letterTable } from '../dead-letter-view.ts'
import { readLimit } from '../limit.ts'
import { operatorClient } from '../operator.ts'
import { printJson } from '../print.ts'
import { shellWord } from '../shell-word.ts'
import { plainLine } from '../table.ts'
import { UserError } from '../user-error.ts'
import { count } from '../wording.ts'

type Json = { json?: boolean }
type ListOptions = DeadLetterFilter & Json & { limit: string }
type SelectionOptions = DeadLetterFilter & Json & { all?: boolean }

export function addDeadLetterCommands(program: Command, context: CliContext): void {
  const letter = program
    .command('dead-letter')
    .description('what a destination refused for good, with its reason: to look at, send again or drop')
  addList(letter, context)
  addShow(letter, context)
  addVerb(letter, context, {
    verb: 'replay',
    description: 'send dead letters again, each to the destination that refused it',
    async call(client, tenant, selection) {
      const answer = await client.replayDeadLetters(tenant, selection)
      return { answer, letters: answer.replayed, samples: answer.samples, left: answer.left }
    },
    done: 'on the way again',
    next: 'destination list',
  })
  addVerb(letter, context, {
    verb: 'drop',
    description: 'drop dead letters for good',
    async call(client, tenant, selection) {
      const answer = await client.dropDeadLetters(tenant, selection)
      return { answer, letters: answer.dropped, samples: answer.samples, left: answer.left }
    },
    done: 'dropped',
    next: 'dead-letter list',
  })
}

function addList(letter: Command, context: CliContext): void {
  filterFlags(letter.command('list'))
    .description('list the newest dead letters of a tenant')
    .argument('<tenant>', 'id or name')
    .option('--limit <n>', 'how many', '100')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, options: ListOptions) => {
      const client = await operatorClient(context)
      const answer = await client.deadLetters(tenant, readLimit(options.limit), filterOf(options))
      if (options.json) return printJson(context, answer)
      context.out(answer.deadLetters.length > 0 ? letterTable(answer.deadLetters) : 'No dead letters.')
    })
}

function addShow(letter: Command, context: CliContext): void {
  letter
    .command('show')
    .description('show what is in a dead letter')
    .argument('<tenant>', 'id or name')
    .argument('<id>', 'its number in the list')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, id: string, options: Json) => {
      const answer = await (await operatorClient(context)).deadLetter(tenant, readId(tenant, id))
      if (options.json) return printJson(context, answer)
      context.out(letterDetail(answer))
      const which = `${shellWord(tenant)} ${answer.id}`
      context.out(`Next: onec-relay dead-letter replay ${which}, or: onec-relay dead-letter drop ${which}`)
    })
}

interface Done {
  readonly answer: object
  readonly letters: number
  readonly samples: number
  readonly left: readonly DeadLettersLeft[]
}

interface Verb {
  readonly verb: 'replay' | 'drop'
  readonly description: string
  call(client: AdminClient, tenant: string, selection: DeadLetterSelection): Promise<Done>
  readonly done: string
  readonly next: string
}

function addVerb(letter: Command, context: CliContext, { verb, description, call, done, next }: Verb): void {
  filterFlags(letter.command(verb))
    .description(description)
    .argument('<tenant>', 'id or name')
    .argument('[id...]', 'their numbers in the list')
    .option('--all', 'every one of the tenant')
    .option('--json', 'print the answer as JSON')
    .action(async (tenant: string, ids: readonly string[], options: SelectionOptions) => {
      const selection = selectionOf(verb, tenant, ids, options)
      const { answer, letters, samples, left } = await call(await operatorClient(context), tenant, selection)
      if (options.json) return printJson(context, answer)
      context.out(letters > 0 ? `${plural(letters)} ${done} (${count(samples)} samples).` : 'No dead letter fits that.')
      for (const some of left) context.out(`${plural(some.letters)} left: ${plainLine(some.detail)} (${some.code})`)
      context.out(`Next: onec-relay ${next} ${shellWord(tenant)}`)
    })
}

function filterFlags(command: Command): Command {
  return command
    .option('--destination <destination>', 'those of this destination, by id or name')
    .option('--host <host>', 'those of this host, by id or name')
}

function filterOf({ destination, host }: DeadLetterFilter): DeadLetterFilter {
  return { ...(destination !== undefined && { destination }), ...(host !== undefined && { host }) }
}

function selectionOf(
  verb: string,
  tenant: string,
  ids: readonly string[],
  options: SelectionOptions,
): DeadLetterSelection {
  const some = { ...filterOf(options), ...(ids.length > 0 && { ids: ids.map(id => readId(tenant, id)) }) }
  const named = Object.keys(some).length > 0
  if (options.all && named) throw new UserError('--all goes without numbers, --destination and --host.')
  if (options.all) return { all: true }
  if (named) return some
  throw new UserError('No dead letters were named.', {
    next: `Give their numbers, --destination, --host, or --all: onec-relay dead-letter ${verb} ${shellWord(tenant)} --all`,
  })
}

function readId(tenant: string, text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (id < 1)
    throw new UserError(`"${plainLine(text)}" is not the number of a dead letter.`, {
      next: `The list has them: onec-relay dead-letter list ${shellWord(tenant)}`,
    })
  return id
}

function plural(letters: number): string {
  return letters === 1 ? '1 dead letter' : `${count(letters)} dead letters`
}
