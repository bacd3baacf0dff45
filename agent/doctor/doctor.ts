import type { HostConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { hostFiles } from '../collect/host-files.ts'
import { platformCollectors } from '../collect/index.ts'
import { type Environment, effectiveConfig, type StatePaths } from '../config.ts'
import { readHostname } from '../identity.ts'
import { VERSION } from '../version.ts'
import { backupsCheck } from './backups-check.ts'
import { type Check, runChecks } from './check.ts'
import { collectorsCheck } from './collectors.ts'
import { diskCheck } from './disk.ts'
import { type Enrolment, readEnrolment } from './enrolment.ts'
import { judgeEnvironment } from './environment.ts'
import { logFilesCheck } from './log-files.ts'
import { privacyCheck } from './privacy.ts'
import { relayCheck } from './relay-check.ts'
import type { Report } from './render.ts'
import { judgeRunning } from './running.ts'
import { serviceCheck } from './service.ts'
import { readTold, type Told } from './told.ts'

/** Looks at everything that keeps this host from being watched. Changes nothing, here or at the relay. */
export async function examine(paths: StatePaths, environment: Environment, clock: Clock): Promise<Report> {
  const atMs = clock.nowMs()
  const enrolment = readEnrolment(paths)
  const told = enrolment.isClosed ? undefined : readTold(paths)
  const { condition, status, findings = [] } = told ?? {}
  const running = condition && findings.length === 0
  const quick = [
    ...enrolment.findings,
    ...findings,
    ...(running ? judgeRunning({ condition, status, nowMs: atMs, version: VERSION }) : []),
  ]
  const checks = told ? checksFor(paths, environment, enrolment, told, clock) : [collectors({}, clock)]
  const checked = await runChecks(checks, clock)
  const around = judgeEnvironment(environment, enrolment.config?.proxy !== undefined)
  return { version: VERSION, hostname: readHostname(), atMs, findings: [...quick, ...checked, ...around] }
}

/** What cannot be looked at before the host is enrolled is left out. */
function checksFor(
  paths: StatePaths,
  environment: Environment,
  enrolment: Enrolment,
  { status, relayConfig }: Told,
  clock: Clock,
): Check[] {
  const { config, token, connection } = enrolment
  const host = effectiveConfig(relayConfig?.config, config?.host, environment.intervalMs)
  const { backups: told = [], logFiles = [] } = status ?? {}
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
