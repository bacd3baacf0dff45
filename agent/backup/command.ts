import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { describeError, systemCode } from '../error.ts'
import { createProcessTree } from './process-tree.ts'

/** How a command ended. `failure` is absent when it succeeded. */
export interface CommandEnd {
  /** What a shell would have as its exit code: 128 + n for signal n, 124 after the timeout, 126 or 127 not started. */
  readonly exitCode: number
  readonly failure?: string
}

/** Between asking a command to end and killing it. */
const GRACE_MS = 5_000
/** Between two looks at what a command that has ended at its timeout has left. */
const POLL_MS = 100

/**
 * Runs a command with this process's own input and output, so that the timeout and a signal to this process end
 * everything that it started.
 */
export async function runCommand(command: readonly string[], timeoutMs: number | undefined): Promise<CommandEnd> {
  const [program = '', ...args] = command
  const tree = createProcessTree()
  let child: ChildProcess
  try {
    child = spawn(program, args, { stdio: 'inherit', ...tree.spawn })
  } catch (error) {
    return notStarted(error)
  }
  const signalAll = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) tree.signal(child.pid, signal)
  }
  const rest: Rest = {
    isLeft: () => child.pid !== undefined && tree.isRestLeft(child.pid),
    end: () => {
      if (child.pid !== undefined) tree.endRest(child.pid)
    },
  }
  const forwarded: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of forwarded) process.on(signal, signalAll)
  return await endOf(child, timeoutMs, signalAll, rest).finally(() => {
    for (const signal of forwarded) process.off(signal, signalAll)
  })
}

/** What the command has started, and what may outlive it. */
interface Rest {
  isLeft(): boolean
  end(): void
}

function endOf(
  child: ChildProcess,
  timeoutMs: number | undefined,
  signalAll: (signal: NodeJS.Signals) => void,
  rest: Rest,
): Promise<CommandEnd> {
  const timers: NodeJS.Timeout[] = []
  const after = (ms: number, then: () => void) => timers.push(setTimeout(then, ms))
  const ended = new Promise<CommandEnd>(resolve => {
    let timedOut = false
    let graceOver = false
    // A shell ends at once; what it started may still be giving back a lock, or be deaf to the first signal.
    const endRest = () => {
      if (rest.isLeft() && !graceOver) {
        after(POLL_MS, endRest)
        return
      }
      rest.end()
      resolve(timeoutEnd(timeoutMs))
    }
    child.on('error', error => resolve(notStarted(error)))
    child.on('exit', (code, signal) => {
      if (timedOut) endRest()
      else resolve(commandEnd(code, signal))
    })
    if (timeoutMs === undefined) return
    after(timeoutMs, () => {
      timedOut = true
      signalAll('SIGTERM')
      after(GRACE_MS, () => {
        graceOver = true
        signalAll('SIGKILL')
      })
      // Of another account, or stuck in the system: it is not waited for.
      after(2 * GRACE_MS, () => {
        child.unref()
        resolve(timeoutEnd(timeoutMs, 'could not be killed'))
      })
    })
  })
  return ended.finally(() => {
    for (const timer of timers) clearTimeout(timer)
  })
}

function notStarted(error: unknown): CommandEnd {
  const failure = `the command could not be started: ${describeError(error)}`
  // Node starts no .bat and .cmd by themselves.
  if (systemCode(error) === 'EINVAL') return { exitCode: 126, failure: `${failure}; a .bat needs: cmd /c script.bat` }
  return { exitCode: systemCode(error) === 'ENOENT' ? 127 : 126, failure }
}

const timeoutEnd = (timeoutMs = 0, how = 'killed'): CommandEnd => ({
  exitCode: 124,
  failure: `${how} at its timeout of ${timeoutMs / 1000} s`,
})

function commandEnd(code: number | null, signal: NodeJS.Signals | null): CommandEnd {
  if (signal) return { exitCode: 128 + constants.signals[signal], failure: `ended by ${signal}` }
  return code === 0 ? { exitCode: 0 } : { exitCode: code ?? 1, failure: `exit code ${code}` }
}
