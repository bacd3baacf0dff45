import type { Clock } from '../clock.ts'
import { UserError } from '../error.ts'
import { BeingDeletedError, DatabaseLockedError, SERVICE_NAME, type ServiceManager } from './manager.ts'
import { imagePath, type ServiceFacts } from './recovery.ts'
import type { Service } from './service.ts'
import { SERVICE_STATES } from './status.ts'

const POLL_MS = 250
/** Windows itself gives a service 30 s to begin; Node and a virus scanner share them. */
const START_DEADLINE_MS = 60_000
/** Above the service's own deadline for a stop. */
const STOP_DEADLINE_MS = 30_000

/** One that was removed a moment ago is gone soon, unless somebody looks at it. */
const DELETION_DEADLINE_MS = 10_000
/** Above the minute that wine's manager takes after a boot. */
const BOOT_DEADLINE_MS = 90_000

const TEXTS = {
  displayName: 'onec-agent',
  description: 'Sends a snapshot of this 1C server and its backups to the relay every minute.',
}

export interface WindowsServiceOptions {
  readonly manager: ServiceManager
  readonly clock: Clock
  /** Puts the program where only administrators write, and answers its path there. */
  readonly placeProgram: () => string
  /** Behind the program in the service's command line. */
  readonly words: readonly string[]
  /** Directory of the log files, for who looks for the reason of a failure. */
  readonly logs: string
}

export function windowsService(options: WindowsServiceOptions): Service {
  const { manager, clock } = options

  async function waitFor(state: number, deadlineMs: number): Promise<ServiceFacts | undefined> {
    const lateAtMs = clock.monoMs() + deadlineMs
    for (;;) {
      const facts = manager.query(SERVICE_NAME)
      if (!facts || facts.state === state) return facts
      if (facts.state === SERVICE_STATES.stopped || clock.monoMs() >= lateAtMs) return facts
      await clock.sleep(POLL_MS)
    }
  }

  async function stop(): Promise<boolean> {
    const facts = manager.query(SERVICE_NAME)
    if (!facts || facts.state === SERVICE_STATES.stopped) return false
    // One that begins takes no stop yet.
    if (facts.state === SERVICE_STATES.startPending) await waitFor(SERVICE_STATES.running, START_DEADLINE_MS)
    if (facts.state !== SERVICE_STATES.stopPending) manager.stop(SERVICE_NAME)
    const after = await waitFor(SERVICE_STATES.stopped, STOP_DEADLINE_MS)
    if (after && after.state !== SERVICE_STATES.stopped)
      throw new UserError(`The service does not stop (process ${after.pid}). End that process, then try again.`)
    return true
  }

  /** Again and again while Windows is busy with what is soon over. */
  async function whenFree(act: () => void): Promise<void> {
    const sinceMs = clock.monoMs()
    for (;;) {
      try {
        return act()
      } catch (error) {
        if (clock.monoMs() - sinceMs >= patienceMs(error)) throw error
      }
      await clock.sleep(POLL_MS)
    }
  }

  return {
    checkRights: manager.checkRights,
    async install() {
      // A running program cannot be overwritten, and would not be the one that is installed.
      const before = manager.query(SERVICE_NAME)
      await stop()
      const program = options.placeProgram()
      const spec = { ...TEXTS, name: SERVICE_NAME, imagePath: imagePath(program, options.words) }
      await whenFree(() => manager.put(spec))
      return `Service ${SERVICE_NAME} ${before ? 'updated' : 'installed'}: ${program}`
    },
    async start() {
      await whenFree(() => manager.start(SERVICE_NAME))
      const facts = await waitFor(SERVICE_STATES.running, START_DEADLINE_MS)
      if (facts?.state === SERVICE_STATES.running) return
      const how =
        facts?.state === SERVICE_STATES.stopped ? `ended with code ${facts.exitCode}` : 'did not begin in time'
      throw new UserError(`The service ${how}. The reason is in ${options.logs}`)
    },
    stop,
    async uninstall() {
      if (!manager.query(SERVICE_NAME)) return `There is no service ${SERVICE_NAME}`
      await stop()
      manager.remove(SERVICE_NAME)
      // Windows may have started it between the two.
      await stop()
      return `Service ${SERVICE_NAME} removed`
    },
    async describe() {
      return describeFacts(manager.query(SERVICE_NAME))
    },
  }
}

/** How long what failed so is worth trying again. */
function patienceMs(error: unknown): number {
  if (error instanceof BeingDeletedError) return DELETION_DEADLINE_MS
  return error instanceof DatabaseLockedError ? BOOT_DEADLINE_MS : 0
}

function describeFacts(facts: ServiceFacts | undefined): string {
  if (!facts) return `Service ${SERVICE_NAME}: not installed`
  const [name = 'unknown'] = Object.entries(SERVICE_STATES).find(([, state]) => state === facts.state) ?? []
  const end =
    facts.state === SERVICE_STATES.stopped && facts.exitCode !== 0 ? `, ended with code ${facts.exitCode}` : ''
  return `Service ${SERVICE_NAME}: ${name}${facts.pid ? ` (process ${facts.pid})` : ''}${end}`
}
