import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CliContext } from '../../../../relay/cli/context.ts'
import { runCli } from '../../../../relay/cli/program.ts'
import { TOKEN } from './fake-relay.ts'

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Cli {
  readonly directory: string
  /** Runs a command line in `directory`. */
  run(args: readonly string[], options?: { stdin?: string; variables?: Record<string, string> }): Promise<CliRun>
  close(): Promise<void>
}

export const NOW = Date.parse('2026-11-23T09:00:00Z')

/** A command line in a directory of its own, pointed at the relay of that URL with the fake's token. */
export async function cliFor(url: string): Promise<Cli> {
  const directory = await mkdtemp(join(tmpdir(), 'onec-relay-cli-'))
  await writeFile(join(directory, 'operator.token'), `${TOKEN}\n`)
  return {
    directory,
    run: (args, { stdin = '', variables = {} } = {}) =>
      runWith(args, {
        variables: { ONEC_RELAY_URL: url, ONEC_RELAY_TOKEN_FILE: 'operator.token', ...variables },
        workingDirectory: directory,
        now: () => NOW,
        readStdin: async () => stdin,
        stopRequested: () => new Promise(() => undefined),
      }),
    close: () => rm(directory, { recursive: true }),
  }
}

export async function runWith(args: readonly string[], context: Omit<CliContext, 'out' | 'err'>): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, { ...context, out: text => void out.push(text), err: text => void err.push(text) })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
