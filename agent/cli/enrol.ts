import { Command } from 'commander'
import { plainInventory } from '../collect/inventory.ts'
import { enrol } from '../enrol.ts'
import { exchange } from '../relay.ts'
import { contextOf, print } from './context.ts'

export function enrolCommand(): Command {
  return new Command('enrol')
    .description("Trade an enrolment code for this host's own token")
    .requiredOption('--relay <url>', "the relay's URL")
    .requiredOption('--code <code>', 'from `onec-relay enrol create`')
    .option('--name <name>', "what people call this host (default: the machine's name)")
    .option('--allow-http', 'plain http beyond this machine: the token is readable on the way', false)
    .action(async (options: { relay: string; code: string; name?: string; allowHttp: boolean }, command: Command) => {
      const { paths } = contextOf(command)
      const { hostId, routes } = await enrol(paths, { ...options, os: plainInventory() }, exchange)
      print(`Enrolled as ${hostId} at ${routes.join(', ')}. Next: onec-agent run`)
    })
}
