#!/usr/bin/env node
import { CommanderError } from 'commander'
import { explainError } from './cli/explain-error.ts'
import { buildProgram } from './cli/program.ts'
import { printable } from './doctor/text/wrap.ts'
import { systemCode, UserError } from './error.ts'
import { readLanguage } from './language.ts'

/** Entry of onec-agent: what a person can put right is a message and exit code 2, anything else is a bug. */
async function main(): Promise<void> {
  // Whoever read went away (EPIPE), or the disk below a redirected log is full: that ends no agent.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    await buildProgram().parseAsync()
  } catch (error) {
    // It is said already; --help ends this way too.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
    const isKnown = error instanceof UserError || systemCode(error) !== undefined
    process.stderr.write(`${printable(isKnown ? explainError(error as Error, readLanguage()) : stackOf(error))}\n`)
    process.exit(error instanceof UserError ? 2 : 1)
  }
}

const stackOf = (error: unknown): string => (error instanceof Error && error.stack) || String(error)

await main()
