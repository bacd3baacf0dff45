import { Command } from 'commander'
import { plainInventory } from '../collect/inventory.ts'
import { enrol, readConfigIfGood } from '../enrol.ts'
import { type ConnectionOptions, openConnection } from '../network/connection.ts'
import { createExchange } from '../relay.ts'
import { addConnectionOptions, readStdin } from './connection.ts'
import { contextOf, print } from './context.ts'

interface EnrolFlags extends ConnectionOptions {
  readonly relay: string
  readonly code: string
  readonly name?: string
  readonly allowHttp: boolean
}

export function enrolCommand(): Command {
  const command = new Command('enrol')
    .description("Trade an enrolment code for this host's own token")
    .requiredOption('--relay <url>', "the relay's URL")
    .requiredOption('--code <code>', 'from `onec-relay enrol create`')
    .option('--name <name>', "what people call this host (default: the machine's name)")
    .option('--allow-http', 'plain http beyond this machine: the token is readable on the way', false)
  return addConnectionOptions(command).action(async (options: EnrolFlags, command: Command) => {
    const { paths } = contextOf(command)
    const connection = await openConnection(paths, readConfigIfGood(paths), options, readStdin)
    const enrolment = { ...options, os: plainInventory(), connection }
    const { hostId, routes } = await enrol(paths, enrolment, createExchange(connection))
    print(`Enrolled as ${hostId} at ${routes.join(', ')}. Next: onec-agent run`)
  })
}
