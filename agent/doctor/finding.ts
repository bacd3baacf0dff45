import type { NetworkCause } from '../network/cause.ts'

/** `error`: something does not work. `warning`: it works, and a person should know of something. */
export type Severity = 'ok' | 'warning' | 'error'

/** Codes are stable: scripts decide by them, never by the text. What they say is in `text/`. */
const FINDINGS = {
  'config.damaged': 'error',
  'config.no_json': 'error',
  'host.not_enrolled': 'error',
  'host.removed': 'error',

  'agent.running': 'ok',
  'agent.stopped': 'error',
  'agent.silent': 'error',
  'agent.unheard': 'error',
  'agent.undelivered': 'error',
  'agent.other_release': 'warning',

  'service.running': 'ok',
  'service.missing': 'warning',
  'service.stopped': 'error',
  'service.not_automatic': 'warning',
  'service.no_recovery': 'warning',
  'service.account': 'warning',
  'service.unknown': 'warning',

  'token.accepted': 'ok',
  'token.unreadable': 'error',
  'token.refused': 'error',
  'token.disabled': 'error',
  'token.cloned': 'error',
  'token.removed': 'error',

  'route.direct': 'ok',
  'route.proxy': 'ok',
  'route.certificate': 'ok',
  'route.certificate_ending': 'warning',
  'route.relay': 'ok',
  'route.dns': 'error',
  'route.refused': 'error',
  'route.timeout': 'error',
  'route.unreachable': 'error',
  'route.cut': 'error',
  'route.tls_issuer': 'error',
  'route.tls_expired': 'error',
  'route.tls_not_yet_valid': 'error',
  'route.tls_name': 'error',
  'route.tls_other': 'error',
  'route.proxy_unreachable': 'error',
  'route.proxy_login': 'error',
  'route.proxy_ntlm': 'error',
  'route.proxy_refused': 'error',
  'route.other': 'error',
  'route.page': 'error',
  'route.redirect': 'error',
  'route.stranger': 'error',
  'route.relay_error': 'error',
  'route.large': 'ok',
  'route.large_cut': 'warning',
  'connection.unusable': 'error',

  'clock.right': 'ok',
  'clock.ahead': 'error',
  'clock.behind': 'error',
  'version.same': 'ok',
  'version.older': 'warning',
  'version.newer': 'warning',

  'spool.empty': 'ok',
  'spool.waiting': 'warning',
  'spool.dropped': 'warning',
  'spool.aside': 'warning',
  'spool.unwritable': 'error',
  'disk.free': 'ok',
  'disk.low': 'warning',
  'disk.full': 'error',
  'state.private': 'ok',
  'state.open': 'error',
  'state.unreadable': 'error',

  'collector.read': 'ok',
  'collector.nothing': 'ok',
  'collector.failed': 'warning',
  'collector.late': 'warning',
  'collector.disk_counters': 'warning',

  'backup.none': 'warning',
  'backup.good': 'ok',
  'backup.running': 'ok',
  'backup.late': 'error',
  'backup.failed': 'error',
  'backup.unknown': 'warning',
  'backup.not_watched': 'warning',
  'backup.mapped_drive': 'error',
  'backup.drive_missing': 'error',
  'backup.directory': 'error',
  'backup.share_denied': 'error',
  'backup.sqlcmd_missing': 'error',
  'backup.sql_login': 'error',
  'backup.sql_failed': 'error',

  'log_file.readable': 'ok',
  'log_file.missing': 'warning',
  'log_file.unreadable': 'error',

  'environment.clean': 'ok',
  'environment.sink': 'warning',
  'environment.interval': 'warning',
  'environment.proxy': 'warning',

  'check.late': 'error',
  'check.failed': 'error',
} as const satisfies Record<string, Severity> & Record<`route.${NetworkCause}`, Severity>

export type FindingCode = keyof typeof FINDINGS

export const FINDING_CODES = Object.keys(FINDINGS) as readonly FindingCode[]

/** What the texts are filled with. Numbers are written by the end of their name: `…AtMs`, `…Ms`, `…Bytes`. Never a secret. */
export type Params = Readonly<Record<string, string | number>>

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  readonly params: Params
  /** How long it took to find out. */
  readonly elapsedMs?: number
}

/** `severity` only where it is not the code's usual one. */
export function finding(code: FindingCode, params: Params = {}, severity: Severity = FINDINGS[code]): Finding {
  return { code, severity, params }
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, ok: 2 }

export function worstOf(findings: readonly Finding[]): Severity {
  return findings.reduce<Severity>((worst, { severity }) => (RANK[severity] < RANK[worst] ? severity : worst), 'ok')
}
