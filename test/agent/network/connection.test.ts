import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { statePaths, writeConfig } from '../../../agent/config.ts'
import { UserError } from '../../../agent/error.ts'
import { openConnection, readConnection, writeConnection } from '../../../agent/network/connection.ts'
import { parseProxy, proxyUrl } from '../../../agent/network/proxy.ts'
import { readCaFile } from '../../../agent/network/trust.ts'
import { createAuthority } from '../../support/certificates.ts'
import { type ForwardProxy, startForwardProxy } from '../../support/forward-proxy.ts'
import { run } from '../../support/process.ts'
import { type FakeRelay, startFakeRelay } from '../support/fake-relay.ts'

const AGENT = inject('agent')
const SECRET = 'пароль:9$canary'
const authority = createAuthority('ООО «Ромашка» CA')
let directory: string

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-connection-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const write = (name: string, text: string) => {
  const file = path.join(directory, name)
  writeFileSync(file, text)
  return file
}
const noStdin = (): Promise<string> => Promise.reject(new Error('stdin'))

describe('a proxy', () => {
  it('is a URL, its login apart', () => {
    expect(parseProxy('http://proxy:3128')).toEqual({ url: 'http://proxy:3128' })
    const proxy = parseProxy('http://ДОМЕН%5Cагент:p%23%25@proxy.local:8080/\n')
    expect(proxy.url).toBe('http://proxy.local:8080')
    expect(proxyUrl(proxy)).toBe(`http://${proxy.login}@proxy.local:8080`)
    expect(decodeURIComponent(proxy.login ?? '')).toBe('ДОМЕН\\агент:p#%')
  })

  it.each([
    'proxy:3128',
    'socks5://proxy:1080',
    'http://proxy/path',
    `http://u:${SECRET}#@proxy`,
    `http://u:${SECRET}%@proxy`,
  ])('is not %s, which is not repeated', text => {
    expect(() => parseProxy(text)).toThrow(UserError)
    expect(() => parseProxy(text)).not.toThrow('canary')
  })

  it('takes no password on the command line, one from a file or standard input', async () => {
    const paths = statePaths(directory)
    const open = (proxy: string, stdin = noStdin) => openConnection(paths, undefined, { proxy }, stdin)
    await expect(open('http://u:canary@proxy:3128')).rejects.toThrow('no password on the command line')
    await expect(open('http://u:canary@proxy:3128')).rejects.not.toThrow('canary')
    await expect(open('file:/nowhere/proxy')).rejects.toThrow('/nowhere/proxy cannot be read: ENOENT')
    const file = write('proxy', 'http://u:p@proxy:3128\n')
    const expected = { url: 'http://proxy:3128', login: 'u:p' }
    expect((await open(`file:${file}`)).proxy).toEqual(expected)
    expect((await open('-', async () => 'http://u:p@proxy:3128\n')).proxy).toEqual(expected)
  })
})

describe('a CA file', () => {
  it('may hold several certificates, and text between them', () => {
    const other = createAuthority('Другой')
    expect(readCaFile(write('ca.pem', `# наш\n${authority.cert}\nтекст\n${other.cert}`))).toHaveLength(2)
  })

  it.each([
    ['nothing of the kind', 'text', 'holds no PEM certificate'],
    ['a damaged one', authority.cert.replace(/\n..../, '\nAAAA'), 'certificate 1 of 1 is damaged'],
  ])('with %s is refused by name', (_, text, reason) => {
    const file = write('плохой.pem', text)
    expect(() => readCaFile(file)).toThrow(UserError)
    expect(() => readCaFile(file)).toThrow(`плохой.pem`)
    expect(() => readCaFile(file)).toThrow(reason)
  })

  it('that is not there is named', () => {
    expect(() => readCaFile('/nowhere/ca.pem')).toThrow('The CA file /nowhere/ca.pem cannot be read: ENOENT')
  })
})

describe('the connection of a host', () => {
  const proxy = { url: 'http://proxy:3128', login: 'u:canary' }
  const base = { hostId: 'h1', routes: ['https://relay.example'], machineId: 'm'.repeat(32) }

  it('is kept with its login in a file of its own and its certificates copied', async () => {
    const paths = statePaths(directory)
    const ca = readCaFile(write('from-desktop.pem', authority.cert))
    const config = { ...base, ...writeConnection(paths, { proxy, ca }) }
    writeConfig(paths, config)
    rmSync(path.join(directory, 'from-desktop.pem'))
    expect(readConnection(paths, config)).toEqual({ proxy, ca })
    expect(readFileSync(paths.config, 'utf8')).not.toContain('canary')
    expect(statSync(paths.proxyLogin).mode & 0o777).toBe(0o600)
  })

  it('changes in what is given, and loses what is "none"', async () => {
    const paths = statePaths(directory)
    const config = writeConnection(paths, { proxy, ca: [authority.cert.trim()] })
    const change = (options: { proxy?: string; ca?: string }) => openConnection(paths, config, options, noStdin)
    expect(await change({})).toEqual({ proxy, ca: [authority.cert.trim()] })
    expect((await change({ proxy: 'http://other:1' })).proxy).toEqual({ url: 'http://other:1' })
    writeFileSync(paths.ca, 'damaged')
    await expect(change({})).rejects.toThrow('holds no PEM')
    const none = await change({ proxy: 'none', ca: 'none' })
    expect(none).toEqual({ proxy: undefined, ca: [] })
    expect(writeConnection(paths, none)).toEqual({})
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('onec-agent behind a proxy that inspects TLS', () => {
  let relay: FakeRelay
  let proxy: ForwardProxy
  let environment: { METRICS_INTERVAL: string; LANG: string; SSL_CERT_FILE?: string }
  beforeEach(async () => {
    relay = await startFakeRelay(authority.issue({ name: 'Инспекция', dns: ['relay.example'] }))
    proxy = await startForwardProxy({
      login: `u:${SECRET}`,
      targets: { 'relay.example:443': Number(new URL(relay.url).port) },
    })
    environment = { METRICS_INTERVAL: '1', LANG: 'C.UTF-8' }
    write('proxy.txt', proxy.url.replace('//', `//u:${encodeURIComponent(SECRET)}@`))
    write('ca.pem.source', authority.cert)
  })
  afterEach(async () => {
    await relay.close()
    await proxy.close()
  })

  const state = () => path.join(directory, 'state')
  const agent = (...args: string[]) =>
    run(process.execPath, [AGENT, ...args, '--state', state()], { env: { ...environment } })
  const enrol = (...more: string[]) =>
    agent('enrol', '--relay', 'https://relay.example', '--code', 'CODE-1234', '--name', 'БУХ', ...more)
  const ca = () => ['--ca', path.join(directory, 'ca.pem.source')]
  const throughProxy = () => ['--proxy', `file:${path.join(directory, 'proxy.txt')}`]

  it('enrols, sends, and shows the password nowhere', async () => {
    const enrolling = enrol(...throughProxy(), ...ca())
    expect([await enrolling.ended, enrolling.output()]).toEqual([0, expect.stringContaining('Enrolled as h1')])
    const running = agent('run')
    await running.says(/Sent \d+ metrics/, 15_000)
    await running.end()
    const network = agent('network')
    expect(await network.ended).toBe(0)
    expect(network.output()).toContain(`Proxy: ${proxy.url} (with a login)`)
    expect(proxy.connects.every(each => each.passed && each.target === 'relay.example:443')).toBe(true)
    const config = readFileSync(path.join(state(), 'config.json'), 'utf8')
    for (const text of [enrolling.output(), running.output(), network.output(), config])
      for (const secret of ['canary', 'ohr1.test.token']) expect(text).not.toContain(secret)
  })

  it('says what is missing: the password, or the company’s certificate', async () => {
    const strangers = enrol('--proxy', proxy.url, ...ca())
    expect([await strangers.ended, strangers.output()]).toEqual([2, expect.stringContaining('asks for a user name')])
    const distrusting = enrol(...throughProxy())
    expect([await distrusting.ended, distrusting.output()]).toEqual([
      2,
      expect.stringContaining('from "ООО «Ромашка» CA"'),
    ])
  })

  it('speaks Russian too where the system does', async () => {
    environment.LANG = 'ru_RU.UTF-8'
    const strangers = enrol('--proxy', proxy.url, ...ca())
    expect([await strangers.ended, strangers.output()]).toEqual([2, expect.stringContaining('требует имя и пароль')])
    expect(strangers.output()).toContain('asks for a user name and password')
    expect(strangers.output()).toContain('`onec-agent enrol … --proxy file:FILE`')
    expect(strangers.output()).not.toContain('onec-agent network')
  })

  it('believes whom the operating system believes', async () => {
    environment.SSL_CERT_FILE = path.join(directory, 'ca.pem.source')
    const enrolling = enrol(...throughProxy())
    expect([await enrolling.ended, enrolling.output()]).toEqual([0, expect.stringContaining('Enrolled as h1')])
  })

  it('changes its way without enrolling again', async () => {
    await enrol(...throughProxy(), ...ca()).ended
    const change = agent('network', '--proxy', 'none')
    expect([await change.ended, change.output()]).toEqual([0, expect.stringContaining('Proxy: none')])
    const config = JSON.parse(readFileSync(path.join(state(), 'config.json'), 'utf8'))
    expect([config.hostId, config.proxy, config.ca]).toEqual(['h1', undefined, path.join(state(), 'ca.pem')])
    expect(readdirSync(state())).not.toContain('proxy-login')
  })
})
