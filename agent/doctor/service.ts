import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describeError } from '../error.ts'
import { systemdRuns } from '../service/systemd.ts'
import { readServiceSetup, type ServiceSetup } from '../windows/service-facts.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

const NAME = 'onec-agent'

/** The service of the system's manager, alike for Windows and systemd. */
export interface ServiceFacts {
  readonly runs: boolean
  /** The manager's own word for it. */
  readonly state: string
  readonly exitCode: number
  readonly startType: string
  readonly startsItself: boolean
  readonly restarts: boolean
  readonly account: string
  /** The account that it is meant to have; absent where any will do. */
  readonly expected?: string
}

/** Absent facts: there is no service. */
export function judgeService(facts: ServiceFacts | undefined): Finding[] {
  if (!facts) return [finding('service.missing')]
  const { runs, state, exitCode, startType, startsItself, restarts, account, expected } = facts
  const troubles = [
    ...(runs ? [] : [finding('service.stopped', { state, exitCode })]),
    ...(startsItself ? [] : [finding('service.not_automatic', { startType })]),
    ...(restarts ? [] : [finding('service.no_recovery')]),
    ...(expected !== undefined && account !== expected ? [finding('service.account', { account, expected })] : []),
  ]
  return troubles.length > 0 ? troubles : [finding('service.running', { account })]
}

export function serviceCheck(): Check {
  return {
    name: 'service',
    deadlineMs: 15_000,
    async run(signal) {
      // Of a machine without systemd nothing is known, and nothing expected.
      if (process.platform !== 'win32' && !systemdRuns()) return []
      try {
        return judgeService(
          process.platform === 'win32' ? factsOfWindows(readServiceSetup(NAME)) : await readSystemd(signal),
        )
      } catch (error) {
        return [finding('service.unknown', { reason: describeError(error) })]
      }
    },
  }
}

const STATES = ['?', 'stopped', 'starting', 'stopping', 'running']
const START_TYPES = ['boot', 'system', 'automatic', 'manual', 'disabled']

export function factsOfWindows(setup: ServiceSetup | undefined): ServiceFacts | undefined {
  if (!setup) return undefined
  const { state, exitCode, startType, account, failureActions } = setup
  return {
    runs: state === 4,
    state: STATES[state] ?? String(state),
    exitCode,
    startType: START_TYPES[startType] ?? String(startType),
    startsItself: startType === 2,
    restarts: failureActions > 0,
    account,
    expected: 'LocalSystem',
  }
}

async function readSystemd(signal: AbortSignal): Promise<ServiceFacts | undefined> {
  const words = ['show', `${NAME}.service`, '--property', PROPERTIES.join(',')]
  const { stdout } = await promisify(execFile)('systemctl', words, { signal, timeout: 10_000 })
  return factsOfSystemd(stdout)
}

const PROPERTIES = ['LoadState', 'ActiveState', 'UnitFileState', 'Restart', 'User', 'ExecMainStatus']

/** The output of `systemctl show`: `Name=value` lines. Absent when no such unit is installed. */
export function factsOfSystemd(text: string): ServiceFacts | undefined {
  const values = new Map(
    text.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const value = (name: string) => values.get(name) || '?'
  if (value('LoadState') !== 'loaded') return undefined
  return {
    runs: value('ActiveState') === 'active',
    state: value('ActiveState'),
    exitCode: Number(values.get('ExecMainStatus') ?? 0),
    startType: value('UnitFileState'),
    startsItself: value('UnitFileState') === 'enabled',
    restarts: !['no', '?'].includes(value('Restart')),
    account: values.get('User') || 'root',
  }
}
