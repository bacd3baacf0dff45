import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProxyAddress } from '../../agent/network/proxy.ts'
import { parseProxy } from '../../agent/network/proxy.ts'
import { createExchange, type Exchange } from '../../agent/relay.ts'
import { createAuthority, selfSigned } from '../support/certificates.ts'
import { type ForwardProxyRules, startForwardProxy } from '../support/forward-proxy.ts'
import { startFakeRelay } from './support/fake-relay.ts'

const ROUTE = 'https://relay.example:8443'
const DAY_MS = 86_400_000
const PASSWORD = 'п@роль-secret'
const authority = createAuthority('ООО «Ромашка» CA')

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function relay(certificate = authority.issue({ name: 'relay', dns: ['relay.example'] })) {
  const started = await startFakeRelay(certificate)
  closing.push(started.close)
  return started
}

/** A proxy that leads to the relay by its name, as the relay's certificate has it. */
async function proxyTo(url: string, rules: Partial<ForwardProxyRules> = {}) {
  const targets = { 'relay.example:8443': Number(new URL(url).port) }
  const started = await startForwardProxy({ targets, ...rules })
  closing.push(started.close)
  return started
}

async function serveHttp(listener: RequestListener, onConnection: () => void = () => undefined) {
  const server = createServer(listener).on('connection', onConnection)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serveTcp(listener: (socket: Socket) => void) {
  const server = createTcpServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return (server.address() as AddressInfo).port
}

const config = (exchange: Exchange, route = ROUTE) => exchange({ method: 'GET', route, path: 'v1/config', token: 't' })
const through = (proxy: ProxyAddress, ca = [authority.cert]) => config(createExchange({ proxy, ca }))

describe('an exchange through a proxy', () => {
  it('reaches the relay, which sees the token that the proxy does not', async () => {
    const { url, requests } = await relay()
    const proxy = await proxyTo(url)
    const reply = await through({ url: proxy.url })
    expect(reply).toMatchObject({ status: 200, relayVersion: '1.0.0', dateMs: expect.any(Number) })
    expect(requests).toMatchObject([{ path: '/v1/config', authorization: 'Bearer t' }])
    expect(proxy.connects).toEqual([{ target: 'relay.example:8443', passed: true }])
  })

  it('signs in with Basic, whatever characters the password has', async () => {
    const { url } = await relay()
    const proxy = await proxyTo(url, { login: `ДОМЕН\\агент:${PASSWORD}`, schemes: ['NTLM', 'Basic realm="x"'] })
    const address = parseProxy(proxy.url.replace('//', `//ДОМЕН%5Cагент:${PASSWORD}@`))
    expect(address.url).toBe(proxy.url)
    expect(await through(address)).toMatchObject({ status: 200 })
  })

  it.each([
    ['no password', { login: 'u:p' }, 'proxy_login'],
    ['NTLM and Kerberos only', { login: 'u:p', schemes: ['Negotiate', 'NTLM'] }, 'proxy_ntlm'],
    ['a target that is not allowed', { targets: {} }, 'proxy_refused'],
    ['a wrong password, as tinyproxy says it', { targets: {}, refusal: 401 }, 'proxy_login'],
    ['a relay that the proxy does not reach', { targets: {}, refusal: 503 }, 'proxy_refused'],
  ])('names %s', async (_, rules, cause) => {
    const { url, requests } = await relay()
    const proxy = await proxyTo(url, rules)
    expect(await through({ url: proxy.url })).toMatchObject({ status: null, cause })
    expect(requests).toEqual([])
  })

  it('tells a wrong password, and repeats none of it', async () => {
    const { url } = await relay()
    const proxy = await proxyTo(url, { login: 'u:other' })
    const reply = await through({ url: proxy.url, login: `u:${encodeURIComponent(PASSWORD)}` })
    expect(reply).toMatchObject({ cause: 'proxy_login' })
    expect(decodeURIComponent(JSON.stringify(reply))).not.toContain(PASSWORD)
  })

  it('names a proxy that is not there', async () => {
    expect(await through({ url: 'http://127.0.0.1:9' })).toMatchObject({ cause: 'proxy_unreachable' })
    expect(await through({ url: 'http://proxy.invalid:3128' })).toMatchObject({ cause: 'proxy_unreachable' })
    const port = await serveTcp(socket => socket.destroy())
    expect(await through({ url: `http://127.0.0.1:${port}` })).toMatchObject({ status: null })
  })

  it('leaves it out on the way to this machine itself', async () => {
    const { url, close } = await startFakeRelay()
    closing.push(close)
    const exchange = createExchange({ proxy: { url: 'http://127.0.0.1:9' }, ca: [] })
    expect(await config(exchange, url)).toMatchObject({ status: 200 })
  })
})

describe('a TLS connection', () => {
  const now = Date.now()
  const valid = { name: 'relay', dns: ['relay.example'] }
  it.each([
    ['an issuer that nobody here knows', authority.issue(valid), [], 'tls_issuer'],
    ['a certificate signed by itself', selfSigned(valid), [authority.cert], 'tls_issuer'],
    ['an expired one', authority.issue({ ...valid, toMs: now - DAY_MS / 2 }), [authority.cert], 'tls_expired'],
    ['one of tomorrow', authority.issue({ ...valid, fromMs: now + DAY_MS }), [authority.cert], 'tls_not_yet_valid'],
    ['one for another name', authority.issue({ ...valid, dns: ['a.example'] }), [authority.cert], 'tls_name'],
  ])('is refused with %s, before anything is sent', async (_, certificate, ca, cause) => {
    const { url, requests } = await relay(certificate)
    const proxy = await proxyTo(url)
    expect(await through({ url: proxy.url }, ca)).toMatchObject({ status: null, cause })
    expect(requests).toEqual([])
  })

  it('is not made with what speaks no TLS', async () => {
    const url = await serveHttp((_, response) => response.end('plain'))
    expect(await config(createExchange({ ca: [] }), url.replace('http', 'https'))).toMatchObject({ cause: 'tls_other' })
  })
})

it('an exchange ends, with its connections, where a proxy leads to a server that is silent', async () => {
  let ended = () => {}
  const isGone = new Promise<void>(resolve => {
    ended = resolve
  })
  const port = await serveTcp(socket => socket.on('error', ended).on('close', ended).resume())
  const proxy = await proxyTo(`http://127.0.0.1:${port}`)
  const exchange = createExchange({ proxy: { url: proxy.url }, ca: [authority.cert] })
  const signal = AbortSignal.timeout(500)
  const reply = await exchange({ method: 'GET', route: ROUTE, path: 'v1/config', signal })
  expect([reply.status, proxy.connects]).toEqual([null, [{ target: 'relay.example:8443', passed: true }]])
  await isGone
})

describe('an exchange without a proxy', () => {
  const direct = createExchange({ ca: [] })
  it('names what went wrong', async () => {
    expect(await config(direct, 'http://relay.invalid')).toMatchObject({ cause: 'dns' })
    expect(await config(direct, 'http://127.0.0.1:9')).toMatchObject({ cause: 'refused' })
    const port = await serveTcp(socket => socket.once('data', () => socket.destroy()))
    expect(await config(direct, `http://127.0.0.1:${port}`)).toMatchObject({ cause: 'cut' })
  })

  it('is not an answer when it was cut short', async () => {
    const url = await serveHttp((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"half":', () => response.destroy())
    })
    expect(await config(direct, url)).toMatchObject({ status: null, cause: 'cut' })
  })

  it('follows no redirect, and reads a stranger’s page no further than it must', async () => {
    const url = await serveHttp((request, response) => {
      if (request.url === '/v1/config') response.writeHead(302, { location: '/elsewhere' }).end()
      else response.end('<html>'.repeat(50_000))
    })
    expect(await config(direct, url)).toMatchObject({ status: 302 })
    const page = await direct({ method: 'GET', route: url, path: 'page' })
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<html>') })
    expect(page.status === null ? 0 : page.body.length).toBeLessThan(200_000)
  })

  it('keeps a connection for a burst, and takes a new one before it has carried 16 KB', async () => {
    let connections = 0
    const listener: RequestListener = (request, response) => request.resume().on('end', () => response.end('{}'))
    const url = await serveHttp(listener, () => connections++)
    const post = (exchange: Exchange, sizeBytes: number) =>
      exchange({
        method: 'POST',
        route: url,
        path: 'v1/batches',
        body: { bytes: new Uint8Array(sizeBytes), gzip: true },
      })
    const small = createExchange({ ca: [] })
    for (let index = 0; index < 5; index++) await post(small, 400)
    expect(connections).toBe(1)
    const large = createExchange({ ca: [] })
    for (let index = 0; index < 5; index++) await post(large, 8_000)
    expect(connections).toBe(6)
  })

  it('ends when it is told to', async () => {
    const url = await serveHttp(() => undefined)
    const reply = direct({ method: 'GET', route: url, path: 'v1/config', signal: AbortSignal.timeout(50) })
    expect(await reply).toMatchObject({ status: null })
  })
})
