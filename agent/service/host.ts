import type { Clock } from '../clock.ts'
import { CONTROL, createStatusReporter, type ServiceStatus } from './status.ts'

const PROGRESS_MS = 3_000

/** The run loop gives a post in flight 5 s and a collector 2; a stop that takes longer is hung. The spool is safe. */
const STOP_DEADLINE_MS = 20_000

const NO_ERROR = 0
const ERROR_CALL_NOT_IMPLEMENTED = 120

/** Windows' service control manager, as a service sees it. */
export interface ServiceHost {
  /**
   * Hands this process to the manager, and resolves when it takes the process back after `stopped`. `onStart` comes
   * once; `onControl` answers a Windows error code, 0 for done.
   */
  dispatch(events: { onStart(): void; onControl(control: number): number }): Promise<void>
  report(status: ServiceStatus): void
}

/** What the work of a service is told, and tells. */
export interface ServiceLife {
  readonly stop: AbortSignal
  /** It has begun: the manager's wait for the start ends. */
  readonly running: () => void
}

/**
 * Runs `work` as a Windows service. It resolves to its exit code, which counts unless a stop was asked for: what ended
 * because somebody stopped it must not be restarted as a failure. `onHung` is told of a stop past its deadline.
 */
export async function runAsService(
  host: ServiceHost,
  clock: Clock,
  work: (life: ServiceLife) => Promise<number>,
  onHung: () => void,
): Promise<void> {
  const stop = new AbortController()
  const ended = new AbortController()
  const reporter = createStatusReporter(status => host.report(status))
  let failure: { error: unknown } | undefined

  function end(exitCode: number): void {
    if (ended.signal.aborted) return
    ended.abort()
    // The manager may end the process right after this report: nothing comes behind it.
    reporter.stopped(stop.signal.aborted ? 0 : exitCode)
  }

  async function reportProgress(): Promise<void> {
    while (!ended.signal.aborted) {
      await clock.sleep(PROGRESS_MS, ended.signal)
      if (!ended.signal.aborted) reporter.progress()
    }
  }

  async function endIfHung(): Promise<void> {
    await clock.sleep(STOP_DEADLINE_MS, ended.signal)
    if (ended.signal.aborted) return
    onHung()
    end(0)
  }

  function onStart(): void {
    reporter.starting()
    void reportProgress()
    work({ stop: stop.signal, running: () => reporter.running() }).then(end, error => {
      // A bug: the process ends with it, and the manager sees a crash.
      failure = { error }
      end(1)
    })
  }

  function onControl(control: number): number {
    if (control === CONTROL.interrogate) return NO_ERROR
    if (control !== CONTROL.stop && control !== CONTROL.shutdown && control !== CONTROL.preshutdown)
      return ERROR_CALL_NOT_IMPLEMENTED
    if (stop.signal.aborted || ended.signal.aborted) return NO_ERROR
    reporter.stopping()
    stop.abort()
    void endIfHung()
    return NO_ERROR
  }

  await host.dispatch({ onStart, onControl })
  if (failure) throw failure.error
}
