import type { Clock } from '../clock.ts'
import type { SqlHistory } from './sqlcmd.ts'

/** A server is asked no more often than this, however many of its databases are watched. */
const ASK_MS = 10 * 60_000

/** The history of each server, asked for once and shared. */
export function createSqlHistory(
  ask: (server: string) => Promise<SqlHistory>,
  clock: Clock,
): (server: string) => Promise<SqlHistory> {
  const answers = new Map<string, { readonly askedAtMs: number; readonly answer: Promise<SqlHistory> }>()
  return server => {
    const last = answers.get(server)
    if (last && clock.monoMs() - last.askedAtMs < ASK_MS) return last.answer
    const answer = ask(server)
    answers.set(server, { askedAtMs: clock.monoMs(), answer })
    return answer
  }
}
