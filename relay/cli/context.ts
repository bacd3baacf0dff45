import type { Variables } from './environment.ts'

/** What a command sees of the world: the process in `main.ts`, hand-made values in tests. */
export interface CliContext {
  /** The environment over `.env`; empty values are absent. */
  readonly variables: Variables
  readonly workingDirectory: string
  now(): number
  /** One line (or block) on standard output. */
  out(text: string): void
  /** One line on standard error. */
  err(text: string): void
  /** All of standard input. */
  readStdin(): Promise<string>
  /** Settles at the first SIGINT, SIGTERM or SIGHUP with its name; later ones change nothing. */
  stopRequested(): Promise<string>
}
