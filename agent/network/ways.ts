import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import type tls from 'node:tls'
import { type ProxyAddress, proxyUrl } from './proxy.ts'
import type { Trust } from './trust.ts'

/** A connection that idles longer is closed: between two posts a firewall may have forgotten it. */
const IDLE_MS = 4_000

/** Some providers cut a connection after 16 KB: a burst of posts takes a new one before that. */
const CONNECTION_BYTES = 16 * 1024

/** A TLS 1.3 handshake with a chain of two or three certificates. */
const HANDSHAKE_BYTES = 5_000

/** For each of a name's addresses. Node's own 250 ms is short for a satellite or a mobile network. */
const ADDRESS_ATTEMPT_MS = 2_000

/** Connections of one kind: to https or http, through the proxy or not. */
export interface Way {
  readonly agent: http.Agent
  /** What the connection has carried so far, both ways, its handshake included. */
  carriedBytes: number
  /** Ends what is still being opened. */
  giveUp(): void
}

/** Connections are kept for a burst of posts, and never carry more than `maxBytes`. */
export function openWays(trust: Trust, proxy: ProxyAddress | undefined, maxBytes = CONNECTION_BYTES) {
  const common = { keepAlive: true, timeout: IDLE_MS, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS }
  const proxyEnv = proxy && { HTTP_PROXY: proxyUrl(proxy), HTTPS_PROXY: proxyUrl(proxy) }
  const ways = new Map<string, Way>()
  let context: tls.SecureContext | undefined

  function open(url: URL, proxied: boolean): Way {
    const options = { ...common, ...(proxied && { proxyEnv }) }
    const agent =
      url.protocol === 'https:'
        ? new https.Agent({ ...options, secureContext: trust.context } as https.AgentOptions)
        : new http.Agent(options as http.AgentOptions)
    return { agent, carriedBytes: HANDSHAKE_BYTES, giveUp: proxied ? trackTunnels(agent) : () => {} }
  }

  return {
    /** The way to `url` for that many bytes more. */
    take(url: URL, proxied: boolean, sizeBytes: number): Way {
      if (context !== trust.context) ways.clear()
      context = trust.context
      const key = `${url.protocol} ${proxied}`
      const way = ways.get(key) ?? open(url, proxied)
      ways.set(key, way)
      if (way.carriedBytes + sizeBytes <= maxBytes) return way
      for (const socket of Object.values(way.agent.freeSockets).flat()) socket?.destroy()
      way.carriedBytes = HANDSHAKE_BYTES
      return way
    },
  }
}

/**
 * A request has no socket until its tunnel and the TLS in it stand, so that destroying it ends neither: a proxy that
 * lets through to a server that is silent would keep both for good. The returned call ends them.
 */
function trackTunnels(agent: http.Agent): () => void {
  const opening = new Set<Duplex>()
  const create = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const socket = create(options, (error, stream) => {
      if (socket) opening.delete(socket)
      callback?.(error, stream)
    })
    if (!socket) return socket
    opening.add(socket)
    socket.once('close', () => opening.delete(socket))
    return socket
  }
  return () => {
    for (const socket of opening) socket.destroy()
  }
}
