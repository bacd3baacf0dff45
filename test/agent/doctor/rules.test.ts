import { describe, expect, it } from 'vitest'
import { judgeBackups } from '../../../agent/doctor/backups.ts'
import { runChecks } from '../../../agent/doctor/check.ts'
import { finding } from '../../../agent/doctor/finding.ts'
import { othersByMode } from '../../../agent/doctor/privacy.ts'
import { compareReleases, judgeClock } from '../../../agent/doctor/relay-side.ts'
import { factsOfSystemd, factsOfWindows, judgeService } from '../../../agent/doctor/service.ts'
import { parseServiceSetup } from '../../../agent/windows/service-facts.ts'
import { check, relaySide, report, route } from './findings.ts'

const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code)
const refused = { status: null, cause: 'refused', reason: 'x', detail: 'ECONNREFUSED' } as const

describe('the ways to the relay', () => {
  it('one that does not work is a warning while another one does', () => {
    const dead = route({ route: 'https://old.example', reply: refused })
    expect(relaySide([dead]).map(({ severity }) => severity)).toEqual(['error'])
    const findings = relaySide([dead, route()])
    expect(findings.find(({ code }) => code === 'route.refused')?.severity).toBe('warning')
    expect(codes(findings)).toContain('token.accepted')
  })

  it('a proxy that is silent, or hangs up, before the tunnel stands is the one at fault', () => {
    const codeOf = (cause: 'timeout' | 'cut', probe: object) =>
      relaySide([route({ proxy: 'http://proxy:3128', probe, reply: { ...refused, cause } })]).map(({ code }) => code)
    expect([codeOf('timeout', {}), codeOf('cut', {})]).toEqual([
      ['route.proxy_unreachable'],
      ['route.proxy_unreachable'],
    ])
    expect(codeOf('timeout', { tcpMs: 3 })).toEqual(['route.timeout'])
  })

  it('a name server that is silent is not taken for a firewall before the relay', () => {
    const codeOf = (probe: object) =>
      relaySide([route({ probe, reply: { ...refused, cause: 'timeout' } })]).map(({ code }) => code)
    expect([codeOf({}), codeOf({ address: '192.0.2.1', dnsMs: 3 })]).toEqual([['route.dns'], ['route.timeout']])
  })

  it('a relay that cannot answer now says nothing of the token', () => {
    const busy = { status: 503, retryAfter: null, relayVersion: '1.0.0', body: '{"code":"unavailable","detail":"x"}' }
    expect(codes(relaySide([route({ reply: busy })]))).toEqual(['route.relay_error', 'version.same'])
  })
})

it.each([
  [0, 'clock.right'],
  [60_900, 'clock.right'],
  [-60_900, 'clock.right'],
  [62_000, 'clock.ahead'],
  [-62_000, 'clock.behind'],
])('a clock that is %d ms ahead is %s', (skewMs, code) => expect(judgeClock(skewMs, 'UTC').code).toBe(code))

it.each([
  ['1.2.3', '1.2.9', 'version.same'],
  ['1.2.3', '1.10.0', 'version.older'],
  ['2.0.0', '1.9.9', 'version.newer'],
])('agent %s at relay %s is %s', (agent, relay, code) => expect(compareReleases(agent, relay).code).toBe(code))

describe('a service', () => {
  const text = [
    'LoadState=loaded',
    'ActiveState=failed',
    'UnitFileState=disabled',
    'Restart=always',
    'User=',
    'ExecMainStatus=2',
  ]
  it('of systemd', () => {
    expect(factsOfSystemd(text.join('\n'))).toMatchObject({ runs: false, exitCode: 2, account: 'root', restarts: true })
    expect(codes(judgeService(factsOfSystemd(text.join('\n'))))).toEqual(['service.stopped', 'service.not_automatic'])
    expect(factsOfSystemd('LoadState=not-found\nActiveState=inactive')).toBeUndefined()
  })

  it('of Windows, with its account behind the structure', () => {
    const [status, config, actions] = [Buffer.alloc(36), Buffer.alloc(256), Buffer.alloc(64)]
    status.writeUInt32LE(1, 4)
    status.writeUInt32LE(1066, 12)
    status.writeUInt32LE(7, 16)
    config.writeUInt32LE(3, 4)
    config.writeBigUInt64LE(0x7f00_0000_1000n + 64n, 48)
    config.write('.\\Админ\0', 64, 'utf16le')
    const setup = parseServiceSetup({ status, config, actions, configAt: 0x7f00_0000_1000n })
    expect(setup).toEqual({ state: 1, exitCode: 7, startType: 3, account: '.\\Админ', failureActions: 0 })
    const expected = ['service.stopped', 'service.not_automatic', 'service.no_recovery', 'service.account']
    expect(codes(judgeService(factsOfWindows(setup)))).toEqual(expected)
    expect(factsOfWindows(undefined)).toBeUndefined()
  })
})

describe('a backup', () => {
  const mapped = check('ut11', 'mapped_drive')
  it('whose place is wrong is no more than that, unless the last run failed', () => {
    const failed = report('ut11', { state: 'failed', reason: 'empty: the file is empty' })
    expect(codes(judgeBackups([mapped], [failed]))).toEqual(['backup.mapped_drive', 'backup.failed'])
    expect(codes(judgeBackups([mapped], [report('ut11')]))).toEqual(['backup.mapped_drive'])
  })

  it('is as bad as the worse of what the service told and what is seen from here', () => {
    const sql = check('ut11', 'sql_ok', { source: 'mssql', place: './ut11' })
    const refusedThere = report('ut11', { state: 'unknown', reason: 'sql_login_failed: Msg 18456' })
    expect(judgeBackups([sql], [refusedThere])[0]).toMatchObject({ code: 'backup.sql_login', params: { server: '.' } })
    expect(codes(judgeBackups([check('ut11', 'empty')], [report('ut11')]))).toEqual(['backup.failed'])
    expect(codes(judgeBackups([check('ut11', 'good')], [report('ut11')]))).toEqual(['backup.good'])
  })

  it('that nobody has seen yet is not known; one that was reported is as it was', () => {
    expect(codes(judgeBackups([check('ut11', 'never_reported')], []))).toEqual(['backup.unknown'])
    const { state, source, reason, completedAtMs } = report('ut11')
    const last = { state, source, reason, completedAtMs }
    expect(codes(judgeBackups([check('ut11', 'reported', { last })], []))).toEqual(['backup.good'])
  })
})

it.each([
  [0o40700, undefined],
  [0o100640, 'mode 640'],
])('mode %s is open: %s', (mode, detail) => expect(othersByMode(mode)).toBe(detail))

it('a check that hangs, or fails, holds up no other one', async () => {
  const clock = {
    nowMs: () => 0,
    monoMs: () => 0,
    sleep: (ms: number) => (ms === 1 ? Promise.resolve() : new Promise<void>(() => {})),
  }
  const wait = (name: string, deadlineMs: number, run: () => Promise<never[]>) => ({ name, deadlineMs, run })
  const findings = await runChecks(
    [
      wait('hangs', 1, () => new Promise(() => {})),
      wait('fails', 2, () => Promise.reject(new Error('ой'))),
      { name: 'works', deadlineMs: 2, run: async () => [finding('environment.clean')] },
    ],
    clock,
  )
  expect(findings).toEqual([
    { code: 'check.late', severity: 'error', params: { check: 'hangs', deadlineMs: 1 }, elapsedMs: 0 },
    { code: 'check.failed', severity: 'error', params: { check: 'fails', reason: 'ой' } },
    { code: 'environment.clean', severity: 'ok', params: {}, elapsedMs: 0 },
  ])
})
