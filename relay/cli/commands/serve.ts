import { type Command, Option } from 'commander'
import type { CliContext } from '../context.ts'
import { absolute, dataDirectory, httpAllowed, privateDirectoryOf, readPort, relayPort } from '../environment.ts'
import { privatePaths } from '../private-directory.ts'
import { destinationsFromEnv } from '../seed-destinations.ts'
import { ensureTenant, importInto, openDataDirectory, openSelfHosted, type SelfHosted } from '../self-hosted.ts'
import type { Claim } from '../serve/claim.ts'
import { UserError } from '../user-error.ts'

interface ServeOptions {
  readonly data?: string
  readonly private?: string
  readonly port?: string
  readonly host: string
  readonly tenant?: string
  readonly bundle?: string
}

export function addServeCommand(program: Command, context: CliContext): void {
  program
    .command('serve')
    .description('run the relay on this machine under workerd, its state in a directory')
    .option('--data <dir>', 'where its state lives (RELAY_DATA, else .data)')
    .option('--private <dir>', 'where `onec-relay init` put the keys (else <data>.private)')
    .option('--port <port>', 'where it listens (RELAY_PORT, else 8787); 0: any free one')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--tenant <name>', "deliver this tenant's data to what the seed's variables name; made when missing")
    .addOption(new Option('--bundle <file>', "another Worker than the build's").hideHelp())
    .action((options: ServeOptions) => serve(options, context))
}

async function serve(options: ServeOptions, context: CliContext): Promise<void> {
  const data = absolute(context.workingDirectory, options.data ?? dataDirectory(context.variables))
  const claim = await openDataDirectory(data, line => context.out(line))
  const stopping = new AbortController()
  const stopped = context.stopRequested().then(signal => {
    stopping.abort()
    return signal
  })
  try {
    const hosted = await openServed(options, context, data, claim, stopping.signal)
    await importSeed(options, context, hosted).catch(async error => {
      await hosted.relay.stop()
      throw error
    })
    context.out(`The relay serves at ${hosted.relay.url}, its state in ${data}. Ctrl-C ends it.`)
    await runUntil(stopped, hosted, context)
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  } finally {
    await claim.release()
  }
}

function openServed(
  options: ServeOptions,
  context: CliContext,
  data: string,
  claim: Claim,
  stopping: AbortSignal,
): Promise<SelfHosted> {
  const { variables, workingDirectory } = context
  return openSelfHosted({
    dataDirectory: data,
    paths: privatePaths(absolute(workingDirectory, options.private ?? privateDirectoryOf(data))),
    host: options.host,
    port: options.port === undefined ? relayPort(variables) : readPort(options.port, '--port'),
    ...(options.bundle !== undefined && { bundle: absolute(workingDirectory, options.bundle) }),
    variables,
    stopping,
    claim,
    say: line => context.out(line),
  })
}

async function importSeed(options: ServeOptions, context: CliContext, { client }: SelfHosted): Promise<void> {
  const { variables, workingDirectory } = context
  const { destinations, warnings } = destinationsFromEnv(variables, httpAllowed(variables))
  for (const warning of warnings) context.err(`Warning: ${warning}`)
  if (destinations.length === 0) return
  if (options.tenant === undefined) {
    const named = destinations.map(destination => destination.from).join(', ')
    context.err(`Warning: ${named} is set but not used: say whose data goes there with --tenant NAME.`)
    return
  }
  const data = absolute(workingDirectory, options.data ?? dataDirectory(variables))
  const { importRecord } = privatePaths(absolute(workingDirectory, options.private ?? privateDirectoryOf(data)))
  const tenant = await ensureTenant(client, options.tenant)
  const imported = await importInto(client, tenant.id, destinations, importRecord)
  for (const one of imported) context.out(`Destination ${one.name} of ${tenant.name} (${one.from}): ${one.did}.`)
}

async function runUntil(stopped: Promise<string>, { relay }: SelfHosted, context: CliContext): Promise<void> {
  const gaveUp = await Promise.race([stopped.then(() => undefined), relay.ended])
  if (gaveUp !== undefined) throw new UserError(gaveUp, { next: 'The lines above say why it ended.', exitCode: 1 })
  context.out('Stopping the relay.')
  await relay.stop()
  context.out('Stopped.')
}
