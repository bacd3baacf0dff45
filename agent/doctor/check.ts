import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import { type Finding, finding } from './finding.ts'

/** One thing to look at. It may throw or hang: its deadline ends it, and the others go on. */
export interface Check {
  readonly name: string
  readonly deadlineMs: number
  /** `signal` is aborted at the deadline. */
  run(signal: AbortSignal): Promise<readonly Finding[]>
}

/** All checks at once; their findings in the order of `checks`. */
export async function runChecks(checks: readonly Check[], clock: Clock): Promise<Finding[]> {
  return (await Promise.all(checks.map(check => runCheck(check, clock)))).flat()
}

async function runCheck({ name, deadlineMs, run }: Check, clock: Clock): Promise<readonly Finding[]> {
  const startedMs = clock.monoMs()
  const late = new AbortController()
  const done = new AbortController()
  const end = clock.sleep(deadlineMs, done.signal).then(() => {
    late.abort()
    return [finding('check.late', { check: name, deadlineMs })]
  })
  try {
    const findings = await Promise.race([run(late.signal), end])
    const elapsedMs = clock.monoMs() - startedMs
    return findings.map(each => ({ elapsedMs, ...each }))
  } catch (error) {
    return [finding('check.failed', { check: name, reason: describeError(error) })]
  } finally {
    done.abort()
  }
}
