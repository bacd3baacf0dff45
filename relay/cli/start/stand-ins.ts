import * as z from 'zod'
import { builtFile } from '../package-root.ts'
import { type Child, describeExit, endChild, startChild } from '../serve/child.ts'
import type { Claim } from '../serve/claim.ts'
import { UserError } from '../user-error.ts'

export interface StandIns {
  /** URL by kind of sink. */
  readonly urls: Readonly<Record<string, string>>
  /** Settles with the reason when they ended unasked. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

export interface StandInOptions {
  readonly root: string
  readonly kinds: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly claim: Claim
  readonly stopping: AbortSignal
  say(line: string): void
}

const READY_TIMEOUT_MS = 20_000
const GRACE_MS = 5_000

/** The first line that the stand-ins print. */
const ready = z.record(z.string(), z.url())

/**
 * Starts strict doubles of sinks, one process for all of them, on ports of their own. They end with this process, even
 * when it is killed: they watch their standard input.
 */
export async function startStandIns(options: StandInOptions): Promise<StandIns> {
  let onFirstLine: ((line: string) => void) | undefined
  const firstLine = new Promise<string>(resolve => {
    onFirstLine = resolve
  })
  const child = await startChild({
    file: process.execPath,
    args: [builtFile(options.root, 'test/support/stand-ins/main.ts'), '--kinds', options.kinds.join(',')],
    env: options.variables,
    cwd: options.root,
    onLine(line, stream) {
      if (stream === 'stdout' && onFirstLine) onFirstLine(line)
      else options.say(line)
      if (stream === 'stdout') onFirstLine = undefined
    },
  })
  await options.claim.noteChild('stand-ins', child.pid)
  const urls = await readUrls(child, firstLine, options)
  const ended = child.exited.then(exit => `The stand-ins ${describeExit(exit)} unasked.`)
  return { urls, ended, stop: async () => void (await endChild(child, GRACE_MS)) }
}

async function readUrls(
  child: Child,
  firstLine: Promise<string>,
  { kinds, stopping }: StandInOptions,
): Promise<Record<string, string>> {
  const ended = child.exited.then(exit => Promise.reject(new UserError(`The stand-in sinks ${describeExit(exit)}.`)))
  const giveUp = AbortSignal.any([stopping, AbortSignal.timeout(READY_TIMEOUT_MS)])
  const end = () => child.kill('SIGKILL')
  giveUp.addEventListener('abort', end)
  try {
    const urls = ready.safeParse(JSON.parse(await Promise.race([firstLine, ended])))
    if (urls.success && kinds.every(kind => urls.data[kind] !== undefined)) return urls.data
    throw new UserError('The stand-in sinks do not say where they listen.')
  } catch (error) {
    await endChild(child, GRACE_MS)
    throw error
  } finally {
    giveUp.removeEventListener('abort', end)
    ended.catch(() => undefined)
  }
}
