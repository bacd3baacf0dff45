import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import type { Clock } from '../clock.ts'
import { systemCode } from '../error.ts'
import type { ProxyAddress } from '../network/proxy.ts'

/** Who a server says it is. */
export interface CertificateFacts {
  /** Who signed it, by common name or organisation. */
  readonly issuer: string
  readonly validFromMs: number
  readonly validToMs: number
}

/** How far a connection came, and how long each step took; what was not reached is absent. Milliseconds. */
export interface ProbeFacts {
  readonly address?: string
  readonly dnsMs?: number
  readonly tcpMs?: number
  readonly tlsMs?: number
  /** Also one that is not trusted. */
  readonly certificate?: CertificateFacts
}

/**
 * The steps to a server one by one: name, connection (or the proxy's tunnel), TLS. Sends nothing of ours, and so looks
 * at any certificate. Ends early at the step that fails: what that means is known from the exchange itself.
 */
export async function probe(url: URL, proxy: ProxyAddress | undefined, clock: Clock, signal: AbortSignal) {
  const facts: { -readonly [K in keyof ProbeFacts]: ProbeFacts[K] } = {}
  const time = async <T>(step: Promise<T>): Promise<[T, number]> => {
    const startedMs = clock.monoMs()
    return [await step, clock.monoMs() - startedMs]
  }
  let socket: net.Socket | undefined
  try {
    if (!proxy) {
      const [found, dnsMs] = await time(bounded(lookup(hostOf(url)), signal))
      Object.assign(facts, { address: found.address, dnsMs })
    }
    const [connected, tcpMs] = await time(connect(url, proxy, facts.address, signal))
    socket = connected
    facts.tcpMs = tcpMs
    if (url.protocol !== 'https:') return facts
    const [certificate, tlsMs] = await time(readCertificate(socket, hostOf(url), signal))
    Object.assign(facts, { tlsMs, certificate })
  } catch (error) {
    if (systemCode(error) === undefined && !signal.aborted) throw error
  } finally {
    socket?.destroy()
  }
  return facts
}

export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
export const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80)

/** A look-up cannot be called off; nobody waits for it any more. */
function bounded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

async function connect(url: URL, proxy: ProxyAddress | undefined, address: string | undefined, signal: AbortSignal) {
  if (proxy) return await tunnel(url, proxy, signal)
  return await new Promise<net.Socket>((resolve, reject) => {
    const socket = net.connect({ host: address ?? hostOf(url), port: portOf(url), signal })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** CONNECT, with the login that the agent has; anything but 2xx is an error with a code. */
function tunnel(url: URL, proxy: ProxyAddress, signal: AbortSignal): Promise<net.Socket> {
  const target = `${url.hostname}:${portOf(url)}`
  const at = new URL(proxy.url)
  const login = proxy.login && Buffer.from(decodeURIComponent(proxy.login)).toString('base64')
  const headers = { host: target, ...(login && { 'proxy-authorization': `Basic ${login}` }) }
  return new Promise((resolve, reject) => {
    const client = at.protocol === 'https:' ? https : http
    const request = client.request({
      host: hostOf(at),
      port: portOf(at),
      method: 'CONNECT',
      path: target,
      headers,
      agent: false,
      signal,
    })
    const refuse = () => reject(Object.assign(new Error('the proxy refused'), { code: 'ERR_PROXY_TUNNEL' }))
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket as net.Socket)
      socket.destroy()
      refuse()
    })
    request.once('response', response => {
      response.destroy()
      refuse()
    })
    request.once('error', reject)
    request.end()
  })
}

function readCertificate(socket: net.Socket, host: string, signal: AbortSignal): Promise<CertificateFacts> {
  return new Promise((resolve, reject) => {
    const servername = net.isIP(host) ? '' : host
    const secured = tls.connect({ socket, servername, rejectUnauthorized: false })
    signal.addEventListener('abort', () => secured.destroy(signal.reason), { once: true })
    secured.once('error', reject)
    secured.once('secureConnect', () => {
      const { issuer, valid_from, valid_to } = secured.getPeerCertificate()
      secured.destroy()
      resolve({
        issuer: [issuer?.CN ?? issuer?.O ?? '?'].flat().join(', '),
        validFromMs: Date.parse(valid_from),
        validToMs: Date.parse(valid_to),
      })
    })
  })
}
