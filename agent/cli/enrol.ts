import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { plainInventory } from '../collect/inventory.ts'
import { type Enrolled, enrol, readConfigIfGood } from '../enrol.ts'
import { type Language, readLanguage } from '../language.ts'
import { type ConnectionOptions, openConnection } from '../network/connection.ts'
import { createExchange } from '../relay.ts'
import { enrolAsService } from '../service/enrol-service.ts'
import { platformService } from '../service/platform.ts'
import { secureStateDirectory } from '../state-directory.ts'
import { addConnectionOptions, readStdin } from './connection.ts'
import { type Context, contextOf, log, print } from './context.ts'

interface EnrolFlags extends ConnectionOptions {
  readonly relay: string
  readonly code: string
  readonly name?: string
  readonly allowHttp: boolean
  readonly service: boolean
}

export function enrolCommand(): Command {
  const command = new Command('enrol')
    .description("Trade an enrolment code for this host's own token")
    .requiredOption('--relay <url>', "the relay's URL")
    .requiredOption('--code <code>', 'from `onec-relay enrol create`')
    .option('--name <name>', "what people call this host (default: the machine's name)")
    .option('--service', 'and run as a service from now on (needs administrator or root)', false)
    .option('--allow-http', 'plain http beyond this machine: the token is readable on the way', false)
  return addConnectionOptions(command).action(async (flags: EnrolFlags, command: Command) => {
    const context = contextOf(command)
    if (flags.service) await enrolWithService(flags, context)
    else announce(await enrolHere(flags, context), ENROLLED)
  })
}

async function enrolHere({ service: _, ...flags }: EnrolFlags, { paths }: Context): Promise<Enrolled> {
  secureStateDirectory(paths.directory, log)
  const connection = await openConnection(paths, readConfigIfGood(paths), flags, readStdin)
  return await enrol(
    paths,
    { ...flags, os: plainInventory(), connection, language: readLanguage() },
    createExchange(connection),
  )
}

async function enrolWithService(flags: EnrolFlags, context: Context): Promise<void> {
  const { paths, environment } = context
  const options = { service: platformService(paths, environment), paths, clock: systemClock }
  const { enrolled, done, works } = await enrolAsService(options, () => enrolHere(flags, context))
  print(done)
  announce(enrolled, works ? RUNS : STARTS)
}

type Hint = Readonly<Record<Language, string>>

const ENROLLED: Hint = {
  en: 'Next: onec-agent run, or as a service: onec-agent service install',
  ru: 'Сервер подключён. Дальше: onec-agent run, или служба: onec-agent service install',
}
const RUNS: Hint = {
  en: 'The service runs. Check: onec-agent status',
  ru: 'Сервер подключён, служба работает. Проверка: onec-agent status',
}
const STARTS: Hint = {
  en: 'The service started, its first snapshot is still to come. Check in a minute: onec-agent status',
  ru: 'Сервер подключён, служба запущена, первый снимок ещё не готов. Проверка через минуту: onec-agent status',
}

/** A client's staff may read no English. */
function announce({ hostId, routes }: Enrolled, hint: Hint): void {
  print(`Enrolled as ${hostId} at ${routes.join(', ')}. ${hint.en}`)
  if (readLanguage() === 'ru') print(hint.ru)
}
