import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Running, until } from '../support/process.ts'
import { ROOT } from '../support/stack.ts'
import { openRelay, TENANT, type TestRelay } from './relay.ts'
import { bootWindows, type Windows } from './windows.ts'

/** The MSI, silently, as a group policy runs it. */

const HOST = 'ТЕРМИНАЛ-2'
const MSI = join(ROOT, 'dist/agent/onec-agent.msi')
const SERVICE = /onec-agent\.exe"? +service +run/

let windows: Windows
let relay: TestRelay

beforeAll(async () => {
  ;[windows, relay] = await Promise.all([bootWindows([MSI]), openRelay()])
  makeNextRelease(join(windows.desk.linux, 'onec-agent.msi'), join(windows.desk.linux, 'next.msi'))
}, 180_000)

afterAll(async () => {
  await windows?.remove()
  await relay?.close()
}, 60_000)

const program = () => join(windows.drive, 'Program Files/onec-agent')
/** Files and folders of the program, none when it is gone. */
const programFiles = () => (existsSync(program()) ? ['.', ...readdirSync(program(), { recursive: true })] : [])
const state = () => join(windows.drive, 'ProgramData/onec-agent')
const runs = () => windows.processes(SERVICE).length === 1
const ended = () => windows.processes(SERVICE).length === 0
const msiexec = (...args: string[]): Running => windows.start('msiexec', [...args, '/qn'])
const registry = () => windows.start('reg', ['query', 'HKLM\\Software\\onec-agent', '/reg:64'])

async function install(file: string, ...properties: string[]): Promise<void> {
  const installing = msiexec('/i', file, ...properties)
  expect(await installing.ended, installing.output()).toBe(0)
}

describe('a Windows that is too old', () => {
  test('is refused, and nothing is left on it', async () => {
    await windows.pretend('win81')
    const installing = msiexec('/i', 'onec-agent.msi', '/l*', 'refused.log')
    expect(await installing.ended).not.toBe(0)
    // Wine shows the sentence to nobody: the log has the refusal, the installer the words.
    const log = readFileSync(join(windows.desk.linux, 'refused.log'), 'utf8')
    expect(log).toContain('LaunchConditions. Return value 0')
    expect(log).toContain('WINDOWSBUILD = 9600')
    expect(programFiles()).toEqual([])
  }, 60_000)

  afterAll(() => windows.pretend('win10'))
})

describe('a silent installation', () => {
  let code: string

  test('makes a service that enrols this host', async () => {
    code = await relay.code()
    await install('onec-agent.msi', `RELAYURL=${relay.url}`, `ENROLCODE=${code}`, `NAME=${HOST}`)
    expect(await until(runs, 30_000)).toBe(true)
    const appeared = await until(async () => (await relay.stack.hosts(TENANT)).at(0), 60_000, 500)
    expect(appeared).toMatchObject({ name: HOST })
    expect(await until(() => relay.witness.posts.some(({ status }) => status === 200), 60_000)).toBe(true)
  }, 180_000)

  test('leaves the code nowhere', async () => {
    const left = registry()
    await left.ended
    expect(left.output()).not.toContain(code)
    expect(left.output()).not.toContain('EnrolCode')
    expect(readFileSync(join(state(), 'logs/agent.log'), 'utf8')).not.toContain(code)
    expect(readFileSync(join(state(), 'token'), 'latin1')).not.toContain('ohr1.')
  }, 30_000)

  test('makes the service that `service install` makes: begun delayed, its program in quotes', async () => {
    const service = windows.start('reg', ['query', 'HKLM\\System\\CurrentControlSet\\Services\\onec-agent'])
    await service.ended
    expect(service.output()).toMatch(/DelayedAutoStart +REG_DWORD +0x1/)
    expect(service.output()).toMatch(/ImagePath +REG_\w+ +"C:\\Program Files\\onec-agent\\onec-agent\.exe" service run/)
  }, 30_000)

  test('a repair, which a user may start, brings it to no other relay', async () => {
    const [before] = windows.processes(SERVICE)
    const repair = (...properties: string[]) => msiexec('/i', 'onec-agent.msi', 'REINSTALL=ALL', ...properties)
    expect(await repair('RELAYURL=https://stranger.example', 'ENROLCODE=1').ended).not.toBe(0)
    const kept = registry()
    await kept.ended
    expect(kept.output()).toContain(relay.url)
    expect(windows.processes(SERVICE)).toEqual([before])
    expect(await repair().ended).toBe(0)
    expect(await until(runs, 30_000)).toBe(true)
  }, 120_000)

  test('a newer release takes its place while it runs, under the same token', async () => {
    const [before] = windows.processes(SERVICE)
    const posts = relay.witness.posts.length
    await install('next.msi')
    expect(await until(() => runs() && windows.processes(SERVICE)[0] !== before, 30_000)).toBe(true)
    expect(await until(() => relay.witness.posts.slice(posts).some(({ status }) => status === 200), 90_000)).toBe(true)
    expect((await relay.stack.hosts(TENANT)).length).toBe(1)
    expect(programFiles()).toContain('onec-agent.exe')
  }, 240_000)

  test('an older release does not', async () => {
    const installing = msiexec('/i', 'onec-agent.msi')
    expect(await installing.ended).not.toBe(0)
    expect(runs()).toBe(true)
  }, 60_000)

  test('a silent removal leaves no service and no program, and keeps what the host knows', async () => {
    const removing = msiexec('/x', 'next.msi')
    expect(await removing.ended, removing.output()).toBe(0)
    expect(await until(ended, 30_000)).toBe(true)
    expect(programFiles()).toEqual([])
    const service = windows.start('net', ['start', 'onec-agent'])
    expect(await service.ended).not.toBe(0)
    expect(await registry().ended).not.toBe(0)
    expect(existsSync(join(state(), 'token'))).toBe(true)
  }, 120_000)

  test('installed again it goes on as the same host; PURGE=1 takes everything along', async () => {
    const posts = relay.witness.posts.length
    await install('onec-agent.msi')
    expect(await until(() => relay.witness.posts.slice(posts).some(({ status }) => status === 200), 90_000)).toBe(true)
    expect((await relay.stack.hosts(TENANT)).length).toBe(1)
    const removing = msiexec('/x', 'onec-agent.msi', 'PURGE=1')
    expect(await removing.ended, removing.output()).toBe(0)
    expect(await until(ended, 30_000)).toBe(true)
    expect(programFiles()).toEqual([])
    expect(existsSync(state())).toBe(false)
  }, 180_000)

  test('without a code it is installed all the same, and waits for `enrol`', async () => {
    await install('onec-agent.msi')
    expect(programFiles()).toContain('onec-agent.exe')
    expect(await until(ended, 30_000)).toBe(true)
    expect(readFileSync(join(state(), 'logs/agent.log'), 'utf8')).toContain('not enrolled')
  }, 60_000)
})

/** The same installer as the next release would have it: other codes, a higher version. */
function makeNextRelease(installer: string, next: string): void {
  copyFileSync(installer, next)
  const product = '0F0E0D0C-0B0A-4900-8800-070605040302'
  const amend = (...queries: string[]) => execFileSync('msibuild', [next, '-q', ...queries])
  execFileSync('msibuild', [next, '-s', 'onec-agent', 'onec-relay', 'x64;1033', `{${product.replace('0F', '1F')}}`])
  amend(
    `UPDATE \`Property\` SET \`Value\` = '{${product}}' WHERE \`Property\` = 'ProductCode'`,
    "UPDATE `Property` SET `Value` = '99.0.0' WHERE `Property` = 'ProductVersion'",
    'DELETE FROM `Upgrade`',
    upgradeRow('', '99.0.0', 513, 'WIX_UPGRADE_DETECTED'),
    upgradeRow('99.0.0', '', 2, 'WIX_DOWNGRADE_DETECTED'),
  )

  function upgradeRow(from: string, to: string, attributes: number, property: string): string {
    const code = execFileSync('msiinfo', ['export', installer, 'Property'], { encoding: 'utf8' })
    const [, upgrade] = /UpgradeCode\t(\{[^}]+\})/.exec(code) ?? []
    return `INSERT INTO \`Upgrade\` (\`UpgradeCode\`, \`VersionMin\`, \`VersionMax\`, \`Language\`, \`Attributes\`, \`Remove\`, \`ActionProperty\`)
      VALUES ('${upgrade}', '${from}', '${to}', '', ${attributes}, '', '${property}')`
  }
}
