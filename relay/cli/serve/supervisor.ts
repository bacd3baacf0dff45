import { backOffMs } from '../../../shared/outcome.ts'
import { type Child, describeExit, type Exit, endChild } from './child.ts'

export interface Supervision {
  /** For people: `relay`, `agent`. */
  readonly name: string
  /** Starts the process and waits until it is of use; rejects, leaving none, when that fails or `stopping` aborts. */
  start(stopping: AbortSignal): Promise<Child>
  /** Aborts when nobody wants the process any more, its first start included. */
  readonly stopping: AbortSignal
  say(line: string): void
  now(): number
  /** Rejects when `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** Why this exit is final, for a person; absent: the process is started again. */
  final?(exit: Exit): string | undefined
}

export interface Supervised {
  /** Settles with the reason when the process ended and is not started again. Never after `stop`. */
  readonly ended: Promise<string>
  /** Ends the process: SIGTERM, SIGKILL after 5 s. */
  stop(): Promise<void>
}

const GRACE_MS = 5_000
const BASE_DELAY_MS = 500
const MAX_DELAY_MS = 30_000
/** As long as this without a crash, and the count of crashes begins anew. */
const STEADY_MS = 60_000
const MAX_CRASHES = 10

/**
 * Keeps a process running: started again with back-off when it ends unasked, given up after ten times in a row.
 * Rejects when its first start does.
 */
export async function supervise(supervision: Supervision): Promise<Supervised> {
  const stop = new AbortController()
  const stopping = AbortSignal.any([stop.signal, supervision.stopping])
  let child: Child | undefined = await supervision.start(stopping)
  let settle: (reason: string) => void
  const ended = new Promise<string>(resolve => {
    settle = resolve
  })
  const running = keepRunning(supervision, stopping, child, current => {
    child = current
  }).then(reason => {
    if (reason !== undefined) settle(reason)
  })
  return {
    ended,
    async stop() {
      stop.abort()
      if (child) await endChild(child, GRACE_MS)
      await running
    },
  }
}

async function keepRunning(
  supervision: Supervision,
  stopping: AbortSignal,
  first: Child,
  note: (child: Child | undefined) => void,
): Promise<string | undefined> {
  const { name, say, now } = supervision
  let child: Child | undefined = first
  let startedAtMs = now()
  for (let crashes = 0; ; ) {
    if (child) {
      const exit = await child.exited
      note(undefined)
      if (stopping.aborted) return undefined
      const final = supervision.final?.(exit)
      if (final !== undefined) return final
      if (now() - startedAtMs >= STEADY_MS) crashes = 0
      say(`The ${name} ${describeExit(exit)} unasked.`)
    }
    crashes++
    if (crashes > MAX_CRASHES) return `The ${name} ended ${MAX_CRASHES} times in a row and is given up.`
    child = await startAgain(supervision, stopping, crashes)
    startedAtMs = now()
    if (stopping.aborted) {
      if (child) await endChild(child, GRACE_MS)
      return undefined
    }
    note(child)
  }
}

/** The process, absent when this start failed too or nobody wants it any more. */
async function startAgain(
  supervision: Supervision,
  stopping: AbortSignal,
  crashes: number,
): Promise<Child | undefined> {
  const { name, say, wait } = supervision
  const delayMs = backOffMs(crashes, 1, BASE_DELAY_MS, MAX_DELAY_MS)
  say(`Starting the ${name} again in ${delayMs} ms.`)
  try {
    await wait(delayMs, stopping)
    const child = await supervision.start(stopping)
    say(`The ${name} runs again.`)
    return child
  } catch (error) {
    if (!stopping.aborted) say(`The ${name} did not start: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
