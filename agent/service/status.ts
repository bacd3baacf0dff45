/** A service's states and their numbers, winsvc.h. */
export const SERVICE_STATES = { stopped: 1, startPending: 2, stopPending: 3, running: 4 } as const
export type ServiceState = keyof typeof SERVICE_STATES

/** Controls that this service takes. */
export const CONTROL = { stop: 1, interrogate: 4, shutdown: 5, preshutdown: 15 } as const

const SERVICE_WIN32_OWN_PROCESS = 0x10
/** SERVICE_ACCEPT_STOP, _SHUTDOWN and _PRESHUTDOWN: what may be sent while it runs. */
const ACCEPTED = 0x1 | 0x4 | 0x100
const ERROR_SERVICE_SPECIFIC_ERROR = 1066

/** While a state is pending the next report must come within this time, or the manager takes the service for hung. */
const WAIT_HINT_MS = 15_000

export interface ServiceStatus {
  readonly state: ServiceState
  /** 0: ended well. Anything else is a failure, which the manager acts on (restart). */
  readonly exitCode: number
  /** Grows with each report of a pending state, 0 in the others. */
  readonly checkpoint: number
}

/** SERVICE_STATUS: seven 32-bit numbers. */
export function encodeStatus({ state, exitCode, checkpoint }: ServiceStatus): Buffer {
  const pending = state === 'startPending' || state === 'stopPending'
  const words = [
    SERVICE_WIN32_OWN_PROCESS,
    SERVICE_STATES[state],
    state === 'running' ? ACCEPTED : 0,
    exitCode === 0 ? 0 : ERROR_SERVICE_SPECIFIC_ERROR,
    exitCode,
    checkpoint,
    pending ? WAIT_HINT_MS : 0,
  ]
  return Buffer.from(Uint32Array.from(words).buffer)
}

/** The way of one run through its states: each call does nothing where its state was left behind already. */
export interface StatusReporter {
  readonly state: ServiceState
  starting(): void
  running(): void
  stopping(): void
  /** Still at it, while pending. */
  progress(): void
  stopped(exitCode: number): void
}

const ORDER: readonly ServiceState[] = ['startPending', 'running', 'stopPending', 'stopped']

export function createStatusReporter(report: (status: ServiceStatus) => void): StatusReporter {
  let state: ServiceState | undefined
  let checkpoint = 0

  function enter(next: ServiceState, exitCode = 0): void {
    if (state !== undefined && ORDER.indexOf(next) <= ORDER.indexOf(state)) return
    state = next
    checkpoint = next === 'startPending' || next === 'stopPending' ? 1 : 0
    report({ state, exitCode, checkpoint })
  }

  return {
    get state() {
      return state ?? 'startPending'
    },
    starting: () => enter('startPending'),
    running: () => enter('running'),
    stopping: () => enter('stopPending'),
    progress() {
      if (state !== 'startPending' && state !== 'stopPending') return
      report({ state, exitCode: 0, checkpoint: ++checkpoint })
    },
    stopped: exitCode => enter('stopped', exitCode),
  }
}
