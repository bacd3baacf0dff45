import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildInstaller } from '../../agent/package/installer.ts'
import { VERSION } from '../../agent/version.ts'
import { SEED_HOST_METRICS } from '../../shared/metrics.ts'
import { run } from '../support/process.ts'
import { requireBinary } from '../support/real-server-process.ts'
import { ROOT } from '../support/stack.ts'

/** `npm run build:agent`, signed with a certificate of the test's own. What runs on Windows is test/wine's. */

const TOOLS = { osslsigncode: 'osslsigncode', wixl: 'wixl', msiinfo: 'msitools', openssl: 'openssl' }
const BUILD_WITHIN_MS = 240_000

let folder: string
let said: string

/** Runs to the end and gives what was printed; fails unless it ends with 0. */
async function finish(program: string, ...args: string[]): Promise<string> {
  const running = run(program, args, { cwd: folder })
  const code = await running.ended
  expect(code, `${program} ${args.join(' ')}:\n${running.output()}`).toBe(0)
  return running.output()
}

const build = (output: string, ...args: string[]) =>
  finish(process.execPath, join(ROOT, 'agent/package/build.ts'), '--output', join(folder, output), ...args)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onec-package-'))
  for (const [binary, debianPackage] of Object.entries(TOOLS)) requireBinary(binary, debianPackage)
  const subject = ['-subj', '/CN=onec-agent test', '-addext', 'extendedKeyUsage=codeSigning']
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem']
  await finish('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject)
  await build('signed', '--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem'))
  said = await build('unsigned')
}, BUILD_WITHIN_MS)

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test.each(['signed', 'unsigned'])('SHA256SUMS holds for what is %s', async output => {
  const lines = readFileSync(join(folder, output, 'SHA256SUMS'), 'utf8')
    .trim()
    .split('\n')
  expect(lines.map(line => line.split('  ')[1])).toEqual(['onec-agent', 'onec-agent.exe', 'onec-agent.msi'])
  await finish('sh', '-c', `cd ${output} && sha256sum -c SHA256SUMS`)
})

test('the Linux binary runs without Node beside it', async () => {
  const binary = join(folder, 'unsigned/onec-agent')
  expect((await finish('env', '-i', binary, 'version')).trim()).toBe(VERSION)
  const { metrics } = JSON.parse(await finish('env', '-i', binary, 'once', '--json'))
  expect(SEED_HOST_METRICS.filter(name => metrics[name] !== undefined).length).toBeGreaterThanOrEqual(38)
})

describe('the same sources make the same bytes, in another folder, at another time', () => {
  const bytes = (name: string) => readFileSync(join(folder, name))

  test('the executables', async () => {
    expect(bytes('signed/onec-agent').equals(bytes('unsigned/onec-agent'))).toBe(true)
    // What the two for Windows differ in is the signature alone.
    await finish('osslsigncode', 'extract-signature', '-in', 'signed/onec-agent.exe', '-out', 'signature')
    const attach = ['attach-signature', '-sigin', 'signature', '-CAfile', 'cert.pem']
    await finish('osslsigncode', ...attach, '-in', 'unsigned/onec-agent.exe', '-out', 'again.exe')
    expect(bytes('again.exe').equals(bytes('signed/onec-agent.exe'))).toBe(true)
  }, 60_000)

  test('the installer', async () => {
    const again = join(folder, 'again')
    mkdirSync(again)
    copyFileSync(join(folder, 'unsigned/onec-agent.exe'), join(again, 'onec-agent.exe'))
    await buildInstaller(join(again, 'onec-agent.exe'), VERSION, again, join(again, 'onec-agent.msi'))
    expect(bytes('again/onec-agent.msi').equals(bytes('unsigned/onec-agent.msi'))).toBe(true)
  }, 120_000)
})

test('a build without a certificate says so, in one line', () => {
  expect(said.split('\n').filter(line => line.startsWith('Unsigned:'))).toHaveLength(1)
})

test.each(['onec-agent.exe', 'onec-agent.msi'])('%s carries the signature, and Node has lost its own', async name => {
  const verify = ['verify', '-CAfile', 'cert.pem', '-in']
  const signed = await finish('osslsigncode', ...verify, `signed/${name}`)
  expect(signed).toContain('Number of verified signatures: 1')
  expect(signed).toContain('onec-agent test')
  expect(await run('osslsigncode', [...verify, `unsigned/${name}`], { cwd: folder }).ended).not.toBe(0)
})

test('the installer holds what the executable is, in words of both languages', async () => {
  const table = (name: string) => finish('msiinfo', 'export', 'unsigned/onec-agent.msi', name)
  expect(await table('Property')).toContain(`ProductVersion\t${VERSION}`)
  expect(await table('Property')).toContain('MsiHiddenProperties\tENROLCODE;PROXY')
  expect(await table('File')).toContain(`\t${VERSION}.0\t`)
  const conditions = await table('LaunchCondition')
  expect(conditions).toContain('onec-agent needs 64-bit Windows Server 2016 or newer.')
  expect(conditions).toContain('Нужна 64-разрядная Windows Server 2016 или новее.')
  expect(conditions).toContain('Восстановление не принимает настроек')
  // A user may start a repair, and must not find a console of SYSTEM before him.
  const actions = (await table('CustomAction')).split('\n').map(line => line.split('\t')[0] ?? '')
  const sequence = (await table('InstallExecuteSequence')).split('\n').map(line => line.split('\t'))
  const conditionOf = (name: string) => sequence.find(([action]) => action === name)?.[1]
  expect(
    actions
      .slice(3)
      .filter(name => name.trim() !== '')
      .toSorted(),
  ).toEqual(['FindShell', 'Free', 'Purge'])
  expect(conditionOf('Free')).toBe('NOT REINSTALL')
  expect(conditionOf('Purge')).toMatch(/^REMOVE="ALL" /)
  const executable = readFileSync(join(folder, 'unsigned/onec-agent.exe'))
  expect(executable.includes(Buffer.from(`ProductName\0\0onec-agent\0`, 'utf16le'))).toBe(true)
})
