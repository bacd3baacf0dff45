import type { ServiceHost } from '../../../agent/service/host.ts'
import type { ServiceStatus } from '../../../agent/service/status.ts'

const NEXT: Readonly<Record<string, readonly string[]>> = {
  none: ['startPending'],
  startPending: ['startPending', 'running', 'stopPending', 'stopped'],
  running: ['stopPending', 'stopped'],
  stopPending: ['stopPending', 'stopped'],
  stopped: [],
}

/**
 * Windows' service manager as a service meets it: refuses a report out of order, a checkpoint that does not grow, and a
 * code before the end; sends nothing to a service that does not run; takes the process back after `stopped`.
 */
export class StrictManager implements ServiceHost {
  readonly reports: ServiceStatus[] = []
  private control: (control: number) => number = () => 1062
  private ended = () => {}

  dispatch({ onStart, onControl }: Parameters<ServiceHost['dispatch']>[0]): Promise<void> {
    this.control = onControl
    const dispatched = new Promise<void>(resolve => {
      this.ended = resolve
    })
    onStart()
    if (this.state === 'none') throw new Error('ServiceMain returned before it reported anything')
    return dispatched
  }

  report(status: ServiceStatus): void {
    const { state, exitCode, checkpoint } = status
    if (!NEXT[this.state]?.includes(state)) throw new Error(`${state} after ${this.state}`)
    const pending = state === 'startPending' || state === 'stopPending'
    const before = this.reports.at(-1)
    const least = before?.state === state ? before.checkpoint + 1 : 1
    if (pending ? checkpoint < least : checkpoint !== 0) throw new Error(`checkpoint ${checkpoint} in ${state}`)
    if (state !== 'stopped' && exitCode !== 0) throw new Error(`code ${exitCode} in ${state}`)
    this.reports.push(status)
    if (state === 'stopped') this.ended()
  }

  /** As ControlService answers: 1061 while the service takes no controls, 1062 when it is not there. */
  send(control: number): number {
    if (this.state === 'stopped' || this.state === 'none') return 1062
    if (this.state !== 'running') return 1061
    return this.control(control)
  }

  get state(): string {
    return this.reports.at(-1)?.state ?? 'none'
  }

  get states(): string[] {
    return this.reports.map(({ state, exitCode }) => (exitCode ? `${state} ${exitCode}` : state))
  }
}
