import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../../agent/clock.ts'
import { readEnvironment, statePaths } from '../../../agent/config.ts'
import { examine } from '../../../agent/doctor/doctor.ts'
import { type Finding, type FindingCode, worstOf } from '../../../agent/doctor/finding.ts'
import { renderReport, reportJson } from '../../../agent/doctor/render.ts'
import { createAuthority } from '../../support/certificates.ts'
import { type ForwardProxyRules, startForwardProxy } from '../../support/forward-proxy.ts'
import { run } from '../../support/process.ts'
import { startStallingLink } from '../../support/stalling-link.ts'
import { type FakeRelay, startFakeRelay } from '../support/fake-relay.ts'

const AGENT = inject('agent')
const TOKEN = 'ohr1.test.token'
const SECRET = 'пароль-canary'
const authority = createAuthority('Kaspersky Anti-Virus Personal Root')
let directory: string
let closing: (() => unknown)[]

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-doctor-'))
  closing = []
})
afterEach(async () => {
  for (const close of closing) await close()
  rmSync(directory, { recursive: true })
})

/** What `doctor` finds here, and that it shows no secret in either language or form. */
async function doctor(variables: Record<string, string> = {}) {
  const report = await examine(statePaths(directory), readEnvironment(variables), systemClock)
  const options = [{ language: 'en' }, { language: 'ru' }] as const
  const shown = options
    .flatMap(each => [renderReport(report, each), JSON.stringify(reportJson(report, each))])
    .join('\n')
  for (const secret of [TOKEN, SECRET, encodeURIComponent(SECRET)]) expect(shown).not.toContain(secret)
  return { shown, findings: report.findings, worst: worstOf(report.findings) }
}
type Answer = Awaited<ReturnType<typeof doctor>>
const codes = ({ findings }: Answer) => findings.map(({ code }) => code)
const find = ({ findings }: Answer, code: FindingCode) => findings.find(each => each.code === code)

const onec = (...args: string[]) =>
  run(process.execPath, [AGENT, ...args, '--state', directory], { env: { METRICS_INTERVAL: '1' } })

/** As `enrol` leaves it, with more in its configuration. */
function enrol(route: string, more: Record<string, unknown> = {}): void {
  const config = { hostId: 'h1', routes: [route], machineId: 'm'.repeat(32), ...more }
  chmodSync(directory, 0o700)
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  writeFileSync(path.join(directory, 'token'), `${TOKEN}\n`, { mode: 0o600 })
}

async function relay(certificate?: Parameters<typeof startFakeRelay>[0]): Promise<FakeRelay> {
  const started = await startFakeRelay(certificate)
  closing.push(started.close)
  return started
}

async function behindProxy(rules: Partial<ForwardProxyRules>, login?: string) {
  const { url } = await relay(authority.issue({ name: 'relay', dns: ['relay.example'] }))
  const targets = { 'relay.example:443': Number(new URL(url).port) }
  const proxy = await startForwardProxy({ targets, ...rules })
  closing.push(proxy.close)
  writeFileSync(path.join(directory, 'ca.pem'), authority.cert)
  if (login) writeFileSync(path.join(directory, 'proxy-login'), login, { mode: 0o600 })
  return proxy.url
}

describe('onec-agent doctor', () => {
  it('finds a host in order, and a relay that carries more than 16 KB', async () => {
    const { url, requests } = await relay()
    enrol(url, { host: { logFiles: [{ path: path.join(directory, 'config.json') }] } })
    const found = await doctor()
    expect(find(found, 'token.accepted')?.params).toMatchObject({ hostId: 'h1', revision: 1 })
    expect(find(found, 'route.large')?.params.carriedBytes).toBeGreaterThan(20_000)
    expect(codes(found)).toEqual(expect.arrayContaining(['route.direct', 'clock.right', 'state.private', 'disk.free']))
    expect(codes(found)).toEqual(expect.arrayContaining(['log_file.readable', 'collector.read', 'environment.clean']))
    expect(found.findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual([
      'agent.stopped',
    ])
    expect(found.worst).toBe('error')
    const config = requests.filter(({ path }) => path === '/v1/config')
    const others = requests.filter(each => !config.includes(each))
    expect(config).toHaveLength(1)
    expect(others.every(({ method, authorization }) => method === 'GET' && authorization === undefined)).toBe(true)
  })

  it('is in order with exit code 0 while the agent runs', async () => {
    const { url, stored } = await relay()
    enrol(url)
    const agent = onec('run')
    await agent.says(/Sent \d+ metrics/, 15_000)
    const found = onec('doctor', '--json', '--lang', 'ru')
    const [code, json] = [await found.ended, JSON.parse(found.output())]
    expect([code, json.ok, json.findings.map((each: Finding) => each.code)]).toEqual([
      0,
      true,
      expect.arrayContaining(['agent.running', 'spool.empty', 'collector.read']),
    ])
    expect(found.output()).not.toContain(TOKEN)
    const status = onec('status', '--lang', 'ru')
    expect([await status.ended, status.output()]).toEqual([0, expect.stringMatching(/^Всё в порядке\.\n/)])
    await agent.end()
    expect(stored.size).toBeGreaterThan(0)
    const after = onec('status', '--lang', 'en')
    expect([await after.ended, after.output()]).toEqual([1, expect.stringContaining('does not run')])
  }, 60_000)

  it('tells a connection that is cut after 16 KB', async () => {
    const { url } = await relay()
    const link = await startStallingLink(Number(new URL(url).port), 16_000)
    closing.push(link.close)
    enrol(`http://127.0.0.1:${link.port}`)
    const found = await doctor()
    expect(find(found, 'route.large_cut')).toMatchObject({ severity: 'warning' })
    expect(find(found, 'token.accepted')).toBeDefined()
  })

  it.each([
    ['asks for a password', { login: `u:${SECRET}` }, undefined, 'route.proxy_login'],
    ['asks for another one', { login: 'u:p' }, `u:${encodeURIComponent(SECRET)}`, 'route.proxy_login'],
    ['takes NTLM alone', { login: 'u:p', schemes: ['NTLM', 'Negotiate'] }, undefined, 'route.proxy_ntlm'],
    ['does not let it through', { targets: {} }, undefined, 'route.proxy_refused'],
    ['lets it through', { login: `u:${SECRET}` }, `u:${encodeURIComponent(SECRET)}`, 'route.proxy'],
  ] as const)('tells a proxy that %s', async (_, rules, login, code) => {
    const proxy = await behindProxy(rules, login)
    enrol('https://relay.example', { proxy, ca: path.join(directory, 'ca.pem') })
    const found = await doctor()
    expect(find(found, code)?.params.proxy).toBe(proxy)
    if (code === 'route.proxy') expect(codes(found)).toContain('route.large')
  })

  it('names who inspects TLS', async () => {
    const proxy = await behindProxy({})
    enrol('https://relay.example', { proxy })
    expect(find(await doctor(), 'route.tls_issuer')?.params.issuer).toBe('Kaspersky Anti-Virus Personal Root')
  })

  it('tells what is wrong with the state directory', async () => {
    expect(codes(await doctor())).toContain('host.not_enrolled')
    writeFileSync(path.join(directory, 'config.json'), '{"hostId": 5}')
    const damaged = find(await doctor(), 'config.damaged')?.params.reason
    expect(damaged).toMatch(/^✖ Invalid input: expected string/)
    enrol('http://127.0.0.1:9')
    rmSync(path.join(directory, 'token'))
    expect(codes(await doctor())).toContain('host.not_enrolled')
    enrol('http://127.0.0.1:9', { ca: '/nowhere/ca.pem' })
    chmodSync(directory, 0o755)
    const found = await doctor({ HTTPS_PROXY: 'http://u:canary@proxy', INFLUXDB_TOKEN: 'canary' })
    const expected = ['connection.unusable', 'state.open', 'environment.proxy', 'environment.sink']
    expect(codes(found)).toEqual(expect.arrayContaining(expected))
    expect(find(found, 'connection.unusable')?.params.reason).toContain('/nowhere/ca.pem')
    expect(found.shown).not.toContain('canary')
  })

  it('tells a state directory that it may not read, and goes on', async () => {
    enrol('http://127.0.0.1:9')
    mkdirSync(path.join(directory, 'status.json'))
    const partly = await doctor()
    expect(find(partly, 'state.unreadable')?.params.path).toBe(path.join(directory, 'status.json'))
    expect(codes(partly)).toEqual(expect.arrayContaining(['route.refused', 'collector.read']))
    rmSync(path.join(directory, 'config.json'))
    mkdirSync(path.join(directory, 'config.json'))
    const found = await doctor()
    expect(find(found, 'state.unreadable')?.params.path).toBe(path.join(directory, 'config.json'))
    expect(codes(found)).toContain('collector.read')
    const status = onec('status', '--lang', 'ru')
    expect([await status.ended, status.output()]).toEqual([2, expect.stringContaining('от имени администратора')])
  })

  it('tells where a backup and a log file cannot be found', async () => {
    const { url } = await relay()
    const backups = [{ name: 'ут11', directory: '/nowhere/бэкапы', pattern: '*.dt' }]
    enrol(url, { host: { backups, logFiles: [{ path: '/nowhere/backup.log' }] } })
    const found = await doctor()
    expect(find(found, 'backup.directory')?.params).toMatchObject({ name: 'ут11', directory: '/nowhere/бэкапы' })
    expect(codes(found)).toContain('log_file.missing')
    expect(readFileSync(path.join(directory, 'config.json'), 'utf8')).toContain('ут11')
  })
})
