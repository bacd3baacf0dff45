import type { BackupCheck } from '../../../agent/backup/check.ts'
import { judgeBackups } from '../../../agent/doctor/backups.ts'
import { judgeReading } from '../../../agent/doctor/collectors.ts'
import { judgeFree } from '../../../agent/doctor/disk.ts'
import { judgeEnvironment } from '../../../agent/doctor/environment.ts'
import { type Finding, finding } from '../../../agent/doctor/finding.ts'
import { judgeRelaySide } from '../../../agent/doctor/relay-side.ts'
import type { RouteFacts } from '../../../agent/doctor/route.ts'
import { judgeRunning } from '../../../agent/doctor/running.ts'
import { judgeService } from '../../../agent/doctor/service.ts'
import { CAUSE_REASONS, type NetworkCause } from '../../../agent/network/cause.ts'
import type { AgentStatus } from '../../../agent/status.ts'
import { type ProblemCode, problem } from '../../../shared/problem.ts'
import type { BackupReport } from '../../../shared/wire.ts'

export const NOW_MS = Date.UTC(2026, 10, 25, 19, 5)
export const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ROUTE = 'https://relay.example'

export const status = (changes: Partial<AgentStatus> = {}): AgentStatus => ({
  version: '1.0.0',
  startedAtMs: NOW_MS - 3 * DAY_MS,
  hostId: 'h1',
  route: ROUTE,
  intervalMs: 60_000,
  lastSnapshotAtMs: NOW_MS - 12_000,
  lastDeliveredAtMs: NOW_MS - 11_000,
  problem: null,
  unread: [],
  spool: { pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0, asideBatches: 0 },
  backups: [],
  ...changes,
})

export const report = (name: string, changes: Partial<BackupReport> = {}): BackupReport => ({
  name,
  state: 'ok',
  source: 'directory',
  reason: null,
  startedAtMs: null,
  completedAtMs: NOW_MS - 16 * HOUR_MS,
  sizeBytes: 1_288_490_188,
  durationMs: null,
  dueAtMs: NOW_MS + 8 * HOUR_MS,
  ...changes,
})

const certificate = { issuer: "Let's Encrypt R12", validFromMs: NOW_MS - 30 * DAY_MS, validToMs: NOW_MS + 60 * DAY_MS }
const settings = { revision: 7, config: { intervalMs: 60_000 } }

const answer = (status: number, body: unknown): RouteFacts['reply'] => ({
  status,
  retryAfter: null,
  relayVersion: '1.0.0',
  dateMs: NOW_MS,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const refused = (code: ProblemCode) => {
  const said = problem(code, 'Told so by the relay.')
  return answer(said.status, said)
}

export const route = (changes: Partial<RouteFacts> = {}): RouteFacts => ({
  route: ROUTE,
  probe: { address: '203.0.113.7', dnsMs: 3, tcpMs: 41, tlsMs: 88, certificate },
  reply: answer(200, settings),
  answerMs: 131,
  askedAtMs: NOW_MS,
  large: { carriedBytes: 25_800, tookMs: 412, cut: false },
  ...changes,
})

export const relaySide = (routes: RouteFacts[], version = '1.0.0') =>
  judgeRelaySide({ routes, hostId: 'h1', version, zone: 'Europe/Moscow' })

const DETAILS: Partial<Record<NetworkCause, string>> = {
  dns: 'ENOTFOUND',
  proxy_refused: 'HTTP 403',
  cut: 'ECONNRESET',
}
const failing = (cause: NetworkCause) => {
  const reply = { status: null, cause, reason: CAUSE_REASONS[cause], detail: DETAILS[cause] ?? 'ECODE' }
  return route({ reply, proxy: 'http://proxy.local:3128' })
}

const now = { version: '1.0.0', nowMs: NOW_MS }
const service = {
  runs: true,
  state: 'running',
  exitCode: 0,
  startType: 'automatic',
  startsItself: true,
  restarts: true,
  account: 'LocalSystem',
  expected: 'LocalSystem',
}

/** A host with nothing to complain of. */
export function healthy(): Finding[] {
  return [
    ...judgeRunning({ ...now, condition: 'running', status: status() }),
    ...relaySide([route()]),
    ...judgeService(service),
    judgeFree('C:\\ProgramData\\onec-agent', 42 * 1024 ** 3),
    finding('state.private', { directory: 'C:\\ProgramData\\onec-agent' }),
    ...judgeBackups([check('ut11', 'good')], [report('ut11')]),
    finding('log_file.readable', { path: 'D:\\backup\\backup.log', sizeBytes: 18_432 }),
    judgeReading({ family: 'cpu', tookMs: 0.4, end: { kind: 'read', values: 5 } }),
    judgeReading({ family: 'frequency', tookMs: 2, end: { kind: 'read', values: 0 } }),
    ...judgeEnvironment({ ignored: [] }, false),
  ]
}

/** All that can be wrong with the relay and the way to it. */
export function relayTroubles(): Finding[] {
  const ending = { certificate: { ...certificate, validToMs: NOW_MS + 5 * DAY_MS } }
  return [
    ...(Object.keys(CAUSE_REASONS) as NetworkCause[]).flatMap(cause => relaySide([failing(cause)])),
    ...relaySide([route({ reply: answer(200, '<!doctype html>') })]),
    ...relaySide([route({ reply: answer(302, '') })]),
    ...relaySide([route({ reply: answer(404, 'not found') })]),
    ...relaySide([route({ reply: refused('unavailable') })]),
    ...(['token_revoked', 'host_disabled', 'host_cloned', 'host_removed'] as const).flatMap(code =>
      relaySide([route({ reply: refused(code) })]),
    ),
    ...relaySide([route({ large: { carriedBytes: 13_000, tookMs: 6_300, cut: true } })]),
    ...relaySide([route({ probe: ending })]),
    ...relaySide([route({ askedAtMs: NOW_MS + 7 * 60_000 })]),
    ...relaySide([route({ askedAtMs: NOW_MS - 26 * HOUR_MS })]),
    ...relaySide([route()], '0.9.4'),
    ...relaySide([route()], '1.1.0'),
  ].filter(({ severity }) => severity !== 'ok')
}

/** All that can be wrong on the host itself. */
export function hostTroubles(): Finding[] {
  const spool = { pendingBatches: 41, oldestAtMs: NOW_MS - 3 * HOUR_MS, droppedSnapshots: 17, asideBatches: 2 }
  const problem = { sinceMs: NOW_MS - 3 * HOUR_MS, reason: CAUSE_REASONS.timeout }
  const stopped = { ...service, runs: false, state: 'stopped', exitCode: 5, startType: 'manual', startsItself: false }
  const ignored = [
    { variable: 'INFLUXDB_TOKEN', kind: 'sink' },
    { variable: 'METRICS_INTERVAL', kind: 'interval' },
    { variable: 'HTTPS_PROXY', kind: 'proxy' },
  ] as const
  return [
    finding('config.damaged', { reason: '✖ Invalid URL → at routes[0]' }),
    finding('config.no_json', { at: '3:10' }),
    finding('host.not_enrolled', { directory: 'C:\\ProgramData\\onec-agent' }),
    finding('host.removed', { reason: 'host_removed' }),
    finding('token.unreadable', { reason: 'EACCES: permission denied' }),
    finding('connection.unusable', { reason: 'The CA file D:\\ca.pem cannot be read: ENOENT.' }),
    ...judgeRunning({ ...now, condition: 'stopped', status: undefined }),
    ...judgeRunning({ ...now, condition: 'running', status: undefined }),
    ...judgeRunning({ ...now, condition: 'running', status: status({ lastSnapshotAtMs: NOW_MS - HOUR_MS }) }),
    ...judgeRunning({ ...now, condition: 'running', status: status({ problem, spool, version: '0.9.0' }) }),
    ...judgeService(undefined),
    ...judgeService(stopped),
    ...judgeService({ ...service, restarts: false, account: '.\\Админ' }),
    finding('service.unknown', { reason: 'OpenSCManagerW: access denied (error 5)' }),
    judgeFree('C:\\ProgramData\\onec-agent', 700 * 1024 ** 2),
    judgeFree('C:\\ProgramData\\onec-agent', 12 * 1024 ** 2),
    finding('spool.unwritable', { directory: 'C:\\ProgramData\\onec-agent\\spool', reason: 'EPERM' }),
    finding('state.open', { path: '/var/lib/onec-agent', detail: 'mode 755' }),
    finding('state.unreadable', { path: '/var/lib/onec-agent', reason: 'EACCES' }),
    ...backupTroubles(),
    ...collectorTroubles(),
    finding('log_file.missing', { path: 'D:\\backup\\backup.log' }),
    finding('log_file.unreadable', { path: '/var/log/1c.log', reason: 'log.unreadable: EACCES' }),
    ...judgeEnvironment({ ignored }, false),
    finding('check.late', { check: 'log files', deadlineMs: 10_000 }),
    finding('check.failed', { check: 'disk', reason: 'ENOENT' }),
  ].filter(({ severity }) => severity !== 'ok')
}

/** As a look at one configured backup has it. */
export const check = (name: string, code: BackupCheck['code'], changes: Partial<BackupCheck> = {}): BackupCheck => ({
  name,
  source: 'directory',
  code,
  words: null,
  file: null,
  place: 'D:\\бэкапы',
  isReachable: true,
  last: null,
  ...changes,
})

function backupTroubles(): Finding[] {
  const bad = (name: string, state: BackupReport['state'], reason: string) =>
    report(name, { state, reason, completedAtMs: null })
  const sql = (name: string, code: BackupCheck['code'], words: string) =>
    check(name, code, { source: 'mssql', place: '.\\SQL2019/ut11', words })
  const unc = () => '\\\\nas\\backup\\1c'
  const told = [
    bad('ut11', 'late', 'late: no good backup by 2026-11-25 06:00, local time of the host'),
    bad('БП 3.0', 'unknown', 'future: the file was written tomorrow'),
  ]
  return [
    ...judgeBackups([], []),
    ...judgeBackups(
      [
        check('Зарплата 3.1', 'truncated', { words: 'the archive ends after 1048576 bytes' }),
        check('ЗУП', 'mapped_drive', { place: 'Z:\\1c' }),
        check('УНФ', 'drive_absent', { place: 'Y:\\1c' }),
        check('Розница', 'unreachable', { words: 'D:\\бэкапы is not there' }),
        check('КА', 'share_no_credential', { place: '\\\\nas\\backup', words: 'the agent may not read it (EPERM)' }),
        check('ДО', 'pattern_missing'),
        sql('sql1', 'sqlcmd_missing', 'sqlcmd is not installed here'),
        sql('sql2', 'sql_login_failed', 'the login was refused (Msg 18456)'),
        sql('sql3', 'sql_unreachable', '.\\SQL2019 cannot be reached'),
      ],
      told,
      unc,
    ),
  ]
}

function collectorTroubles(): Finding[] {
  const failed = (family: string, reason: string) =>
    judgeReading({ family, tookMs: 3, end: { kind: 'failed', reason } })
  return [
    failed('users', 'WTSEnumerateSessionsW: the RPC server is not available (error 1722)'),
    failed(
      'disk-io',
      'disk counters are off: run "lodctr /R" (PdhAddEnglishCounterW: no such counter (error 0xc0000bb9))',
    ),
    judgeReading({ family: 'volumes', tookMs: 2_000, end: { kind: 'late' } }),
  ]
}

/** What is in order, in every shape. */
export function inOrder(): Finding[] {
  return [
    ...healthy(),
    ...relaySide([route({ proxy: 'http://proxy.local:3128' })]),
    ...judgeBackups([], [report('ут11', { state: 'running', completedAtMs: null })]),
  ]
}
