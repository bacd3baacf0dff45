import { backOffMs } from '../../shared/outcome.ts'
import type { Clock } from '../clock.ts'
import { describeError, EnrolmentRefusedError, systemCode, UserError } from '../error.ts'
import { createTrouble, type Log } from '../log.ts'

const BACK_OFF_BASE_MS = 5_000
const BACK_OFF_MAX_MS = 5 * 60_000

/** What an installer left for the first start. */
export interface SetupProperties {
  readonly relay: string
  readonly code: string
  readonly name: string | undefined
  readonly proxy: string | undefined
  /** Path of a PEM file. */
  readonly ca: string | undefined
}

/** Where the installer left it. */
export interface SetupStore {
  /** Absent when there is no code (any more), or no relay. */
  read(): SetupProperties | undefined
  hasCode(): boolean
  /** A code, or a proxy, whose URL may hold a password. */
  hasSecret(): boolean
  /** The proxy goes with it: it is kept sealed from now on. */
  eraseCode(): void
}

export interface SetupOptions {
  readonly store: SetupStore
  /** Fails with an EnrolmentRefusedError for the relay's final no, with another UserError for what may pass. */
  readonly enrol: (properties: SetupProperties) => Promise<{ readonly hostId: string }>
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
}

/**
 * Enrols with what the installer left, if it did; true when this host is enrolled now. The code is good for one host, and
 * is erased as soon as the relay took or refused it. Until then it is tried again, further and further apart.
 */
export async function enrolFromSetup(options: SetupOptions, stop: AbortSignal): Promise<boolean> {
  const { store, clock, log } = options
  const trouble = createTrouble(log)
  for (let attempt = 1; !stop.aborted; attempt++) {
    const properties = store.read()
    if (!properties) return false
    try {
      const { hostId } = await options.enrol(properties)
      erase(store, log)
      log('info', `Enrolled as ${hostId} at ${properties.relay} with the code from the installation; it is erased`)
      return true
    } catch (error) {
      if (error instanceof EnrolmentRefusedError) {
        erase(store, log)
        log('error', `The code from the installation is of no use and erased. ${oneOf(error, properties)}`)
        return false
      }
      if (!(error instanceof UserError) && systemCode(error) === undefined) throw error
      trouble.raise('warn', `Not enrolled yet, tried again and again. ${oneOf(error, properties)}`)
    }
    await clock.sleep(backOffMs(attempt, options.random(), BACK_OFF_BASE_MS, BACK_OFF_MAX_MS), stop)
  }
  return false
}

/** A code that came too late (a host that goes on as it was, or was enrolled by hand) must not lie about. */
export function eraseUnusedCode(store: SetupStore, log: Log): void {
  if (!store.hasSecret()) return
  erase(store, log)
  log('info', 'This host is enrolled already: code and proxy from the installation are not needed, and erased')
}

function erase(store: SetupStore, log: Log): void {
  try {
    store.eraseCode()
  } catch (error) {
    log(
      'error',
      `The enrolment code cannot be erased (${describeError(error)}). Delete Software\\onec-agent\\EnrolCode`,
    )
  }
}

/** The relay's words, which should not repeat the code, and so cannot. */
const oneOf = (error: unknown, { code }: SetupProperties): string => describeError(error).replaceAll(code, '…')
