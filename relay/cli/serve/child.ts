import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A process that this one started. */
export interface Child {
  readonly pid: number
  readonly exited: Promise<Exit>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Each line of its standard output and error. */
  onLine(line: string, stream: 'stdout' | 'stderr'): void
  /** Each line that it writes to descriptor 3, which it has only then. */
  onControlLine?(line: string): void
}

/** A line that is longer goes on in the next: a child without line ends must not fill the memory. */
const MAX_LINE_CHARS = 16 * 1024

/**
 * Starts a process in a group of its own, so that Ctrl-C in a terminal reaches only this process, which then ends its
 * children in order. Its standard input stays open while this process lives. Fails when it cannot be started.
 */
export async function startChild(command: Command): Promise<Child> {
  const child = spawn(command.file, [...command.args], {
    env: { ...command.env },
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    stdio: ['pipe', 'pipe', 'pipe', command.onControlLine ? 'pipe' : 'ignore'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const exited = new Promise<Exit>(resolve => child.once('close', (code, signal) => resolve({ code, signal })))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  // A pipe to a child that has gone is not news: its exit is.
  child.stdin?.on('error', () => undefined)
  if (child.stdout) splitLines(child.stdout, line => command.onLine(line, 'stdout'))
  if (child.stderr) splitLines(child.stderr, line => command.onLine(line, 'stderr'))
  const control = child.stdio[3]
  if (command.onControlLine && control) splitLines(control as Readable, command.onControlLine)
  return { pid: pidOf(child), exited, kill: signal => void child.kill(signal) }
}

/** Ends a child: SIGTERM, and SIGKILL when it has not ended after `graceMs`. */
export async function endChild(child: Child, graceMs: number): Promise<Exit> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  try {
    return await child.exited
  } finally {
    clearTimeout(timer)
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `ended with code ${code}`
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a spawned process has a pid')
  return child.pid
}

function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length > MAX_LINE_CHARS) {
      onLine(rest)
      rest = ''
    }
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
