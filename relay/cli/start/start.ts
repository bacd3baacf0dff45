import { setTimeout as sleep } from 'node:timers/promises'
import type { AdminClient } from '../client.ts'
import type { CliContext } from '../context.ts'
import { checkWanted, type Imported } from '../destination-import.ts'
import {
  absolute,
  dataDirectory,
  httpAllowed,
  metricsIntervalSeconds,
  privateDirectoryOf,
  relayPort,
} from '../environment.ts'
import { readKeyChecks } from '../key-checks.ts'
import { builtFile, packageRoot } from '../package-root.ts'
import { exists, initPrivateDirectory, makePrivate, type PrivatePaths, privatePaths } from '../private-directory.ts'
import { destinationsFromEnv, missingSinks, standInDestinations, type WantedDestination } from '../seed-destinations.ts'
import { ensureTenant, importInto, openDataDirectory, openSelfHosted } from '../self-hosted.ts'
import type { Claim } from '../serve/claim.ts'
import { UserError } from '../user-error.ts'
import { type Closing, closing } from './closing.ts'
import { watchFlow } from './flow-watch.ts'
import { ensureEnrolled, superviseAgent } from './host-agent.ts'
import { startStandIns } from './stand-ins.ts'

const TENANT = 'demo'
const DEFAULT_INTERVAL_SECONDS = 5

/** All that the steps below share. */
interface Run {
  readonly context: CliContext
  readonly root: string
  readonly data: string
  readonly paths: PrivatePaths
  readonly intervalSeconds: number
  readonly claim: Claim
  readonly stopping: AbortSignal
  readonly open: Closing
  /** A line of one of the processes. */
  say(source: string): (line: string) => void
}

/**
 * The relay, this machine's agent, and a stand-in for each sink that nothing names; until a signal, or until one of
 * them is given up. Ends them in the opposite order: agent, relay, stand-ins.
 */
export async function startEverything(context: CliContext): Promise<void> {
  const data = absolute(context.workingDirectory, dataDirectory(context.variables))
  const say = (source: string) => (line: string) => context.out(`${source.padEnd(9)} | ${line}`)
  const open = closing(say('start'))
  const stopping = new AbortController()
  const stopped = context.stopRequested().then(() => stopping.abort())
  try {
    const claim = await openDataDirectory(data, say('start'))
    open.add(() => claim.release())
    const { gaveUp } = await startAll({
      context,
      root: packageRoot(),
      data,
      paths: privatePaths(privateDirectoryOf(data)),
      intervalSeconds: metricsIntervalSeconds(context.variables) ?? DEFAULT_INTERVAL_SECONDS,
      claim,
      stopping: stopping.signal,
      open,
      say,
    })
    const reason = await Promise.race([stopped.then(() => undefined), gaveUp])
    if (reason !== undefined) throw new UserError(reason, { next: 'The lines above say why.', exitCode: 1 })
  } catch (error) {
    // What breaks because it was told to end is no failure.
    if (!stopping.signal.aborted) throw error
  } finally {
    await open.closeAll()
  }
}

/** Starts everything. `gaveUp` settles with the reason when a part of it ended for good. */
async function startAll(run: Run): Promise<{ gaveUp: Promise<string> }> {
  const { context, paths, data, root, open } = run
  const agentBundle = builtFile(root, 'dist/onec-agent.js')
  const { destinations: named, warnings } = destinationsFromEnv(context.variables, httpAllowed(context.variables))
  for (const warning of warnings) context.err(`Warning: ${warning}`)
  checkWanted(named)
  await ensureKeys(paths, data)
  const standIns = await openStandIns(run, named)
  const { relay, client } = await openSelfHosted({
    dataDirectory: data,
    paths,
    host: '127.0.0.1',
    port: relayPort(context.variables),
    variables: context.variables,
    stopping: run.stopping,
    claim: run.claim,
    say: run.say('relay'),
  })
  open.add(() => relay.stop(), 'relay')
  const tenant = await ensureTenant(client, TENANT)
  const wanted = [...named, ...standInDestinations(named, standIns.urls)]
  const imported = await importInto(client, tenant.id, wanted, paths.importRecord)
  const agentOptions = {
    ...run,
    bundle: agentBundle,
    state: paths.agentState,
    variables: context.variables,
    say: run.say('agent'),
  }
  await ensureEnrolled(agentOptions, client, tenant.id)
  const agent = await superviseAgent(agentOptions)
  open.add(() => agent.stop(), 'agent')
  context.out(summary(client, paths, wanted, imported, run))
  open.add(watch(run, client, tenant.id))
  return { gaveUp: Promise.race([relay.ended, agent.ended, standIns.ended]) }
}

/** Keys are made at the first start only: data that was written with others would be lost to new ones. */
async function ensureKeys(paths: PrivatePaths, data: string): Promise<void> {
  if (await exists(paths.keys)) return makePrivate(paths.directory)
  if (await readKeyChecks(data))
    throw new UserError(`The keys of the data in ${data} are gone: there is no ${paths.keys}.`, {
      next: `Put them back, or move ${data} away to begin anew.`,
    })
  await initPrivateDirectory(paths.directory, data)
}

async function openStandIns(run: Run, named: readonly WantedDestination[]) {
  const kinds = missingSinks(named).map(seed => seed.sink)
  if (kinds.length === 0) return { urls: {}, ended: new Promise<string>(() => undefined) }
  const { root, claim, stopping, context } = run
  const standIns = await startStandIns({
    root,
    kinds,
    variables: plain(context),
    claim,
    stopping,
    say: run.say('stand-ins'),
  })
  run.open.add(() => standIns.stop(), 'stand-ins')
  return standIns
}

/** Stand-ins need no credential of anybody. */
function plain({ variables }: CliContext): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'TZ', 'LANG', 'TMPDIR'].flatMap(name => (variables[name] ? [[name, variables[name]]] : [])),
  )
}

function watch(run: Run, client: AdminClient, tenantId: string): () => Promise<void> {
  const ending = new AbortController()
  const watching = watchFlow({
    client,
    tenantId,
    everyMs: Math.max(run.intervalSeconds, 2) * 1_000,
    signal: AbortSignal.any([run.stopping, ending.signal]),
    now: run.context.now,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    say: run.say('flow'),
  })
  return async () => {
    ending.abort()
    await watching
  }
}

function summary(
  client: AdminClient,
  paths: PrivatePaths,
  wanted: readonly WantedDestination[],
  imported: readonly Imported[],
  run: Run,
): string {
  const lines = wanted.map(want => {
    const did = imported.find(one => one.name === want.name)?.did ?? ''
    const hint = want.from === 'stand-in' ? 'stand-in: open it to see what it took' : want.from
    return `  ${want.name.padEnd(20)} ${String(want.settings.url)}   (${hint}; ${did})`
  })
  return `
The relay serves at ${client.url}, its state in ${run.data}, its keys in ${paths.directory}.
Tenant ${TENANT}: this machine every ${run.intervalSeconds} s, delivered to
${lines.join('\n')}
In another terminal:
  export ONEC_RELAY_URL=${client.url} ONEC_RELAY_TOKEN_FILE=${paths.operatorToken}
  node_modules/.bin/node dist/onec-relay.js destination list ${TENANT}
Ctrl-C ends all of it.
`
}
