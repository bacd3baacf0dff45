import { NotEnrolledError, readToken } from '../config.ts'
import { describeError, systemCode, UserError } from '../error.ts'
import type { Exchange } from '../relay.ts'
import { type RunOptions, runAgent } from '../run.ts'
import { secureStateDirectory, UntrustedStateError } from '../state-directory.ts'
import type { ServiceLife } from './host.ts'
import { enrolFromSetup, eraseUnusedCode, type SetupOptions, type SetupStore } from './setup.ts'

/** How a service ends. 0 is never restarted; the others are, by Windows and by systemd. */
export const EXIT = { stopped: 0, bug: 1, failed: 2, stateRefused: 3 } as const

/** Who waits for the start of a service (an installation) looks every few seconds, and takes a short run for a failure. */
const STAND_DOWN_AFTER_MS = 6_000

export interface ServeOptions extends Omit<RunOptions, 'exchange' | 'onStarted'> {
  /** The way to the relay, as the configuration has it once this host is enrolled. */
  readonly connect: () => Exchange
  /** Absent where no installer leaves anything. */
  readonly setup?: { readonly store: SetupStore; readonly enrol: SetupOptions['enrol'] } | undefined
}

/**
 * The agent as a service: enrols first when an installer left a code, runs until it is stopped, and stands down where it
 * has nothing to do: not enrolled, or removed. Resolves to an exit code and never rejects: what failed is in the log.
 */
export async function serve(options: ServeOptions, life: ServiceLife): Promise<number> {
  const { log, clock } = options
  try {
    secureStateDirectory(options.paths.directory, log)
    const reason = await settleEnrolment(options, life)
    if (life.stop.aborted) return EXIT.stopped
    if (reason !== undefined) return await standDown(reason)
    await runAgent({ ...options, exchange: options.connect(), onStarted: life.running }, life.stop)
    return EXIT.stopped
  } catch (error) {
    return report(error)
  }

  async function standDown(reason: string): Promise<number> {
    life.running()
    log('warn', `The service stops: ${reason}`)
    if (options.setup) await clock.sleep(STAND_DOWN_AFTER_MS, life.stop)
    return EXIT.stopped
  }

  function report(error: unknown): number {
    // Its log would lie in there.
    if (error instanceof UntrustedStateError) return EXIT.stateRefused
    // A full disk, rights that somebody took away: what stands in the way is the system's, and may be over at the next
    // start. Node's own codes (ERR_INVALID_ARG_TYPE) are those of bugs.
    if (error instanceof UserError || /^E(?!RR_)/.test(systemCode(error) ?? '')) {
      log('error', (error as Error).message)
      return EXIT.failed
    }
    log('error', `A bug ended the service: ${error instanceof Error ? error.stack : error}`)
    return EXIT.bug
  }
}

/** Why this host has nothing to do; undefined when it is enrolled. */
async function settleEnrolment(
  { paths, setup, ...rest }: ServeOptions,
  life: ServiceLife,
): Promise<string | undefined> {
  const before = whyNotEnrolled(paths)
  if (before === undefined) {
    if (setup) eraseUnusedCode(setup.store, rest.log)
    return undefined
  }
  if (!setup?.store.hasCode()) return before
  // The relay may be out of reach for long, and the manager waits for no service that long.
  life.running()
  await enrolFromSetup({ ...setup, ...rest }, life.stop)
  return whyNotEnrolled(paths)
}

function whyNotEnrolled(paths: ServeOptions['paths']): string | undefined {
  try {
    readToken(paths)
    return undefined
  } catch (error) {
    if (error instanceof NotEnrolledError) return describeError(error)
    throw error
  }
}
