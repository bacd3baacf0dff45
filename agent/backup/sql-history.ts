import type { Clock } from '../clock.ts'
import type { SqlHistory } from './sqlcmd.ts'

/** A server is asked no more often than this, however many of its databases are watched. */
const ASK_MS = 10 * 60_000

export interface SqlAnswer {
  readonly history: SqlHistory
  /** What was not there then may be there by now. */
  readonly askedAtMs: number
}

/** The history of each server, asked for once and shared. */
export function createSqlHistory(
  ask: (server: string) => Promise<SqlHistory>,
  clock: Clock,
): (server: string) => Promise<SqlAnswer> {
  const answers = new Map<string, { readonly askedMonoMs: number; readonly answer: Promise<SqlAnswer> }>()
  return server => {
    const last = answers.get(server)
    if (last && clock.monoMs() - last.askedMonoMs < ASK_MS) return last.answer
    const askedAtMs = clock.nowMs()
    const answer = ask(server).then(history => ({ history, askedAtMs }))
    answers.set(server, { askedMonoMs: clock.monoMs(), answer })
    return answer
  }
}
