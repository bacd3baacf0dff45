import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

/** A program under test, with its output kept (the last 200 KB). */
export interface Running {
  readonly pid: number
  /** stdout and stderr together, as a person at the terminal sees them. */
  output(): string
  /** Resolves when `pattern` is in the output; fails with the output when it is not in time or the program ends. */
  says(pattern: RegExp, withinMs: number): Promise<RegExpMatchArray>
  /** Resolves to the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  /** Sends a signal and waits for the end; SIGKILL after 10 s. */
  end(signal?: NodeJS.Signals): Promise<number | string>
}

const KEPT_CHARS = 200_000
const END_WITHIN_MS = 10_000

export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Running {
  const child = spawn(command, args, {
    ...(options.cwd && { cwd: options.cwd }),
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_CHARS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  let hasEnded = false
  ended
    .finally(() => {
      hasEnded = true
    })
    .catch(() => {})
  return {
    pid: child.pid ?? -1,
    output: () => output,
    ended,
    async says(pattern, withinMs) {
      const found = await until(() => output.match(pattern) ?? (hasEnded ? 'ended' : undefined), withinMs)
      if (found && found !== 'ended') return found
      throw new Error(`${command} ${args.join(' ')} did not say ${pattern} (${found ?? 'in time'}):\n${output}`)
    },
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      const impatient = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
      return ended.finally(() => clearTimeout(impatient))
    },
  }
}

/** The first answer that is neither undefined nor false, asked for every `everyMs`; undefined when time is over. */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs: number,
  everyMs = 50,
): Promise<T | undefined> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() >= deadline) return undefined
    await wait(everyMs)
  }
}

/** Process ids of the children of a process, theirs included. */
export async function descendants(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`
  const children = await readFile(path, 'utf8').then(
    text => text.trim().split(/\s+/).filter(Boolean).map(Number),
    () => [],
  )
  const below = await Promise.all(children.map(descendants))
  return [...children, ...below.flat()]
}

/** A program under test sees neither the test runner's variables nor sinks that someone has configured. */
function cleanEnvironment(): Record<string, string> {
  const foreign = /^(VITEST|NODE_OPTIONS|TEST|GRAFANA_|INFLUXDB_|PROMETHEUS_|METRICS_|RELAY_|ONEC_)/
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || foreign.test(name) ? [] : [[name, value]],
    ),
  )
}
