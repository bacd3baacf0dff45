#!/usr/bin/env node
import { CommanderError } from 'commander'
import { buildProgram } from './cli/program.ts'
import { systemCode, UserError } from './error.ts'

/** Entry of onec-agent: what a person can put right is one message and exit code 2, anything else is a bug. */
async function main(): Promise<void> {
  try {
    await buildProgram().parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) throw error
    if (error instanceof UserError) process.stderr.write(`${error.message}\n`)
    else if (systemCode(error)) process.stderr.write(`${(error as Error).message}${adviceFor(systemCode(error))}\n`)
    else process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exit(error instanceof UserError ? 2 : 1)
  }
}

/** The state directory is closed to everybody else. */
function adviceFor(code: string | undefined): string {
  const who = process.platform === 'win32' ? 'administrator' : 'root (sudo)'
  return code === 'EACCES' || code === 'EPERM' ? `\nIt is not open to you: run this as ${who}.` : ''
}

await main()
