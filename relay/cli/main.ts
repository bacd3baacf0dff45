#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import type { CliContext } from './context.ts'
import { readVariables, type Variables } from './environment.ts'
import { runCli } from './program.ts'
import { terminal } from './terminal.ts'

/** The command line of the relay as a process: `onec-relay <noun> <verb>`. */
let variables: Variables | undefined
let stop: Promise<string> | undefined

const context: CliContext = {
  // Read when a command asks, so that a broken .env is told like any other mistake.
  get variables() {
    variables ??= readVariables(process.cwd())
    return variables
  },
  workingDirectory: process.cwd(),
  now: Date.now,
  ...terminal(process.stdout, process.stderr),
  readStdin: () => text(process.stdin),
  stopRequested() {
    stop ??= new Promise(resolve => {
      // Never removed: npm passes on the Ctrl-C that the terminal has sent to this process already, and the second one
      // must not cut the clean end short.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
    })
    return stop
  },
}

process.exitCode = await runCli(process.argv.slice(2), context)
