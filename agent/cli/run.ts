import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { readConfig, widenThreadPool } from '../config.ts'
import { keepHeapSmall } from '../heap.ts'
import { createFileLog } from '../log-file.ts'
import { readConnection } from '../network/connection.ts'
import { createExchange } from '../relay.ts'
import { runAgent } from '../run.ts'
import { secureStateDirectory } from '../state-directory.ts'
import { contextOf, log } from './context.ts'

export function runCommand(): Command {
  return new Command('run')
    .description('Take and send snapshots until stopped')
    .option('--log-file', 'log into files below the state directory, as the service does', false)
    .action(async ({ logFile }: { logFile: boolean }, command: Command) => {
      const { environment, paths } = contextOf(command)
      keepHeapSmall()
      widenThreadPool()
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
      const exchange = createExchange(readConnection(paths, readConfig(paths)))
      const lines = logFile ? createFileLog(paths.logs, systemClock) : log
      secureStateDirectory(paths.directory, lines)
      const options = { paths, environment, clock: systemClock, log: lines, exchange, random: Math.random }
      await runAgent(options, stop.signal)
    })
}
