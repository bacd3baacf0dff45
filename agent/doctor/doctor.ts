import type { HostConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { hostFiles } from '../collect/host-files.ts'
import { platformCollectors } from '../collect/index.ts'
import { type Environment, effectiveConfig, readRelayConfig, type StatePaths } from '../config.ts'
import { readHostname } from '../identity.ts'
import { readCondition, readStatus } from '../status.ts'
import { VERSION } from '../version.ts'
import { backupsCheck } from './backups-check.ts'
import { type Check, runChecks } from './check.ts'
import { collectorsCheck } from './collectors.ts'
import { diskCheck } from './disk.ts'
import { type Enrolment, readEnrolment } from './enrolment.ts'
import { judgeEnvironment } from './environment.ts'
import type { Finding } from './finding.ts'
import { logFilesCheck } from './log-files.ts'
import { privacyCheck } from './privacy.ts'
import { relayCheck } from './relay-check.ts'
import type { Report } from './render.ts'
import { judgeRunning } from './running.ts'
import { serviceCheck } from './service.ts'

/** Looks at everything that keeps this host from being watched. Changes nothing, here or at the relay. */
export async function examine(paths: StatePaths, environment: Environment, clock: Clock): Promise<Report> {
  const atMs = clock.nowMs()
  const enrolment = readEnrolment(paths)
  const quick = [...enrolment.findings, ...(enrolment.isClosed ? [] : lookAtAgent(paths, clock))]
  const checks = enrolment.isClosed ? [collectors({}, clock)] : checksFor(paths, environment, enrolment, clock)
  const checked = await runChecks(checks, clock)
  const around = judgeEnvironment(environment, enrolment.config?.proxy !== undefined)
  return { version: VERSION, hostname: readHostname(), atMs, findings: [...quick, ...checked, ...around] }
}

function lookAtAgent(paths: StatePaths, clock: Clock): Finding[] {
  const facts = { condition: readCondition(paths), status: readStatus(paths.status) }
  return judgeRunning({ ...facts, nowMs: clock.nowMs(), version: VERSION })
}

/** What cannot be looked at before the host is enrolled is left out. */
function checksFor(paths: StatePaths, environment: Environment, enrolment: Enrolment, clock: Clock): Check[] {
  const { config, token, connection } = enrolment
  const host = effectiveConfig(readRelayConfig(paths)?.config, config?.host, environment.intervalMs)
  const { backups: told = [], logFiles = [] } = readStatus(paths.status) ?? {}
  return [
    ...(config && token && connection ? [relayCheck(config, token, connection, clock)] : []),
    ...(config ? [serviceCheck(), diskCheck(paths), privacyCheck(paths)] : []),
    backupsCheck(host, told, paths, clock),
    logFilesCheck(host, logFiles),
    collectors(host, clock),
  ]
}

function collectors(host: HostConfig, clock: Clock): Check {
  return collectorsCheck(platformCollectors(process.platform, { files: hostFiles, config: () => host }), clock)
}
