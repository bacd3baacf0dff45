import { type AgentConfig, readConfig, readToken, type StatePaths } from '../config.ts'
import { describeError, systemCode, UserError } from '../error.ts'
import { readTextIfThere } from '../file.ts'
import { decodeJson } from '../json.ts'
import { readConnection } from '../network/connection.ts'
import type { Connection } from '../relay.ts'
import { type Finding, finding } from './finding.ts'

/** What the state directory says of this host; what is not there or not usable is absent, and in `findings`. */
export interface Enrolment {
  readonly config?: AgentConfig | undefined
  readonly token?: string | undefined
  readonly connection?: Connection | undefined
  readonly findings: readonly Finding[]
  /** The state directory cannot be read: nothing more is to be learnt from it. */
  readonly isClosed?: true
}

export function readEnrolment(paths: StatePaths): Enrolment {
  const removed = attempt(() => decodeJson(readTextIfThere(paths.removed)))
  if (removed.value) return { findings: [finding('host.removed', { reason: reasonIn(removed.value) })] }
  const config = attempt(() => readConfig(paths))
  if (config.code !== undefined)
    return {
      findings: [finding('state.unreadable', { path: paths.config, reason: config.reason ?? config.code })],
      isClosed: true,
    }
  if (config.reason !== undefined) return { findings: [finding('config.damaged', { reason: config.reason })] }
  if (!config.value) return { findings: [finding('host.not_enrolled', { directory: paths.directory })] }
  const token = attempt(() => readToken(paths))
  const connection = attempt(() => readConnection(paths, config.value))
  return {
    config: config.value,
    token: token.value,
    connection: connection.value,
    findings: [
      ...(token.reason === undefined ? [] : [finding('token.unreadable', { reason: token.reason })]),
      ...(connection.reason === undefined ? [] : [finding('connection.unusable', { reason: connection.reason })]),
    ],
  }
}

interface Attempt<T> {
  readonly value?: T
  readonly reason?: string
  readonly code?: string | undefined
}

/** What a person can put right is a finding; the rest is a bug. */
function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof UserError) && systemCode(error) === undefined) throw error
    return { reason: describeError(error), code: systemCode(error) }
  }
}

function reasonIn(value: unknown): string {
  const { reason } = value as { reason?: unknown }
  return typeof reason === 'string' ? reason : '?'
}
