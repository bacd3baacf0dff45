import { readRelayConfig, type StatePaths } from '../config.ts'
import { systemCode } from '../error.ts'
import { type AgentStatus, type Condition, readCondition, readStatus } from '../status.ts'
import { type Finding, finding } from './finding.ts'

/** What the agent wrote of itself; a file that may not be read is absent, and in `findings`. */
export interface Told {
  readonly condition: Condition | undefined
  readonly status: AgentStatus | undefined
  readonly relayConfig: ReturnType<typeof readRelayConfig>
  readonly findings: readonly Finding[]
}

export function readTold(paths: StatePaths): Told {
  const findings: Finding[] = []
  function attempt<T>(path: string, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      const reason = systemCode(error)
      if (reason === undefined) throw error
      findings.push(finding('state.unreadable', { path, reason }))
      return undefined
    }
  }
  const condition = attempt(paths.lock, () => readCondition(paths))
  const status = attempt(paths.status, () => readStatus(paths.status))
  const relayConfig = attempt(paths.relayConfig, () => readRelayConfig(paths))
  return { condition, status, relayConfig, findings }
}
