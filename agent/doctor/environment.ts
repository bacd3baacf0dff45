import type { Environment } from '../config.ts'
import { type Finding, finding } from './finding.ts'

/** Variables that somebody set in the belief that the agent heeds them. */
export function judgeEnvironment({ ignored }: Pick<Environment, 'ignored'>, hasProxy: boolean): Finding[] {
  const findings = ignored.flatMap(({ variable, kind }) => {
    if (kind === 'proxy') return hasProxy ? [] : [finding('environment.proxy', { variable })]
    return [kind === 'sink' ? finding('environment.sink', { variable }) : finding('environment.interval')]
  })
  return findings.length > 0 ? findings : [finding('environment.clean')]
}
