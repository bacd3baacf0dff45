import type { Clock } from './clock.ts'

export type LogLevel = 'info' | 'warn' | 'error'

/** Writes one line: ISO time, level, message. Callers never pass a secret. */
export type Log = (level: LogLevel, message: string) => void

/** Informative lines go to stdout, the others to stderr. */
export function createLog(clock: Clock, streams: { out: Writable; err: Writable }): Log {
  return (level, message) => {
    const line = `${new Date(clock.nowMs()).toISOString()} ${level.toUpperCase().padEnd(5)} ${oneLine(message)}\n`
    ;(level === 'info' ? streams.out : streams.err).write(line)
  }
}

interface Writable {
  write(text: string): unknown
}

const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ')

/** Something that may go wrong for long: an outage of a day is one line and not a thousand. */
export interface Trouble {
  /** Logs what differs from the line before it. */
  raise(level: LogLevel, message: string): void
  /** It is over: logs so, once. */
  clear(message: string): void
}

export function createTrouble(log: Log): Trouble {
  let raised: string | undefined
  return {
    raise(level, message) {
      if (message !== raised) log(level, message)
      raised = message
    },
    clear(message) {
      if (raised !== undefined) log('info', message)
      raised = undefined
    },
  }
}
