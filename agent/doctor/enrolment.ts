import {
  type AgentConfig,
  ConfigDamagedError,
  NotEnrolledError,
  readConfig,
  readRemoved,
  readToken,
  type StatePaths,
} from '../config.ts'
import { describeError, systemCode, UserError } from '../error.ts'
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
  const removed = attempt(() => readRemoved(paths))
  if (removed.value) return { findings: [finding('host.removed', { reason: removed.value.reason })] }
  const config = attempt(() => readConfig(paths))
  if (config.code !== undefined)
    return {
      findings: [finding('state.unreadable', { path: paths.config, reason: config.reason ?? config.code })],
      isClosed: true,
    }
  if (config.error instanceof ConfigDamagedError) return { findings: [findingOf(config.error)] }
  if (!config.value) return { findings: [finding('host.not_enrolled', { directory: paths.directory })] }
  const token = attempt(() => readToken(paths))
  const connection = attempt(() => readConnection(paths, config.value))
  return {
    config: config.value,
    token: token.value,
    connection: connection.value,
    findings: [
      ...tokenFindings(token, paths),
      ...(connection.reason === undefined ? [] : [finding('connection.unusable', { reason: connection.reason })]),
    ],
  }
}

/** Also for the command that such a file ended. */
export const findingOf = ({ reason, at }: ConfigDamagedError): Finding =>
  reason === undefined ? finding('config.no_json', { at }) : finding('config.damaged', { reason })

function tokenFindings({ reason, error }: Attempt<string>, { directory }: StatePaths): Finding[] {
  if (error instanceof NotEnrolledError) return [finding('host.not_enrolled', { directory })]
  return reason === undefined ? [] : [finding('token.unreadable', { reason })]
}

interface Attempt<T> {
  readonly value?: T
  readonly reason?: string
  readonly code?: string | undefined
  readonly error?: unknown
}

/** What a person can put right is a finding; the rest is a bug. */
function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof UserError) && systemCode(error) === undefined) throw error
    return { reason: describeError(error), code: systemCode(error), error }
  }
}
