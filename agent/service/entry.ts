import { systemClock } from '../clock.ts'
import { plainInventory } from '../collect/inventory.ts'
import { type Environment, readConfig, type StatePaths } from '../config.ts'
import { enrol, readConfigIfGood } from '../enrol.ts'
import { endProcess } from '../exit.ts'
import type { Log } from '../log.ts'
import { createFileLog } from '../log-file.ts'
import { openConnection, readConnection } from '../network/connection.ts'
import { createExchange, type Exchange } from '../relay.ts'
import { windowsServiceHost } from '../windows/service-dispatcher.ts'
import { configureItself } from '../windows/service-manager.ts'
import { eraseProperty, readProperty } from '../windows/setup-properties.ts'
import { runAsService, type ServiceLife } from './host.ts'
import { SERVICE_NAME } from './manager.ts'
import { serviceWords } from './platform.ts'
import { imagePath } from './recovery.ts'
import { EXIT, type ServeOptions, serve } from './serve.ts'
import type { SetupProperties, SetupStore } from './setup.ts'

export interface EntryOptions {
  readonly paths: StatePaths
  readonly environment: Environment
  /** In [0, 1). */
  readonly random: () => number
}

/** `service run` under Windows' service manager; a service has no streams, so that all is in the log files. */
export async function runWindowsService(options: EntryOptions): Promise<void> {
  const log = createFileLog(options.paths.logs, systemClock)
  process.on('uncaughtException', error => {
    log('error', `A bug ended the service: ${error.stack}`)
    process.exit(EXIT.bug)
  })
  const work = (life: ServiceLife) => {
    let configured = false
    const running = () => {
      life.running()
      // Behind the report: while a service begins, the manager may keep its database to itself.
      if (!configured) setImmediate(configure, options, log)
      configured = true
    }
    return serve(serveOptions(options, log, life), { ...life, running })
  }
  const onHung = () => log('error', 'The service did not stop in time, and is ended; what the spool holds is safe')
  await runAsService(windowsServiceHost(SERVICE_NAME), systemClock, work, onHung)
  endProcess(EXIT.stopped)
}

/** `service run` under systemd, which keeps the lines in its journal. Resolves to the exit code. */
export async function runUnit(options: EntryOptions, log: Log): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const life = { stop: stop.signal, running: () => undefined }
  return await serve({ ...options, clock: systemClock, log, connect: () => connect(options.paths) }, life)
}

function configure({ paths, environment }: EntryOptions, log: Log): void {
  try {
    configureItself(SERVICE_NAME, imagePath(process.execPath, serviceWords(paths, environment)))
  } catch (error) {
    log('warn', `Windows may not restart this service after a failure: ${(error as Error).message}`)
  }
}

function connect(paths: StatePaths): Exchange {
  return createExchange(readConnection(paths, readConfig(paths)))
}

function serveOptions({ paths, ...rest }: EntryOptions, log: Log, life: ServiceLife): ServeOptions {
  const setup = { store: setupStore, enrol: (given: SetupProperties) => enrolWith(paths, given, life.stop) }
  return { ...rest, paths, clock: systemClock, log, connect: () => connect(paths), setup }
}

async function enrolWith(paths: StatePaths, { proxy, ca, ...given }: SetupProperties, stop: AbortSignal) {
  // As if it came on standard input: it may hold a password, which an option may not.
  const options = { ...(proxy && { proxy: '-' }), ...(ca && { ca }) }
  const connection = await openConnection(paths, readConfigIfGood(paths), options, async () => proxy ?? '')
  const exchange = createExchange(connection)
  const enrolment = { ...given, allowHttp: false, os: plainInventory(), connection }
  return await enrol(paths, enrolment, request => exchange({ ...request, signal: stop }))
}

const setupStore: SetupStore = {
  read() {
    const [relay, code] = [readProperty('RelayUrl'), readProperty('EnrolCode')]
    if (relay === undefined || code === undefined) return undefined
    return { relay, code, name: readProperty('Name'), proxy: readProperty('Proxy'), ca: readProperty('Ca') }
  },
  hasCode: () => readProperty('EnrolCode') !== undefined,
  hasSecret: () => (readProperty('EnrolCode') ?? readProperty('Proxy')) !== undefined,
  eraseCode() {
    eraseProperty('EnrolCode')
    eraseProperty('Proxy')
  },
}
