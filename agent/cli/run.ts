import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { readConfig } from '../config.ts'
import { keepHeapSmall } from '../heap.ts'
import { readConnection } from '../network/connection.ts'
import { createExchange } from '../relay.ts'
import { runAgent } from '../run.ts'
import { contextOf, log } from './context.ts'

export function runCommand(): Command {
  return new Command('run').description('Take and send snapshots until stopped').action(async (_, command: Command) => {
    const { environment, paths } = contextOf(command)
    keepHeapSmall()
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    const exchange = createExchange(readConnection(paths, readConfig(paths)))
    await runAgent({ paths, environment, clock: systemClock, log, exchange, random: Math.random }, stop.signal)
  })
}
