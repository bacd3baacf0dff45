import http from 'node:http'
import https from 'node:https'
import { UserError } from '../error.ts'

/** Where the proxy is, and what it knows this host by. */
export interface ProxyAddress {
  /** `http://proxy.example:3128`: no credentials, fit for a log. */
  readonly url: string
  /** `user:password`, percent-encoded as in a URL. A secret. */
  readonly login?: string
}

const EXAMPLE = 'Example: http://proxy.example:3128'

/** A proxy's URL, taken apart. Fails with a UserError that never repeats the text: it may hold a password. */
export function parseProxy(text: string): ProxyAddress {
  const url = URL.parse(text.trim())
  const isPlain = url && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && !url.search && !url.hash
  if (!isPlain || !isEncoded(url.username + url.password))
    throw new UserError(
      `This is no proxy URL. ${EXAMPLE}\nIn a password, write % as %25, # as %23, / as %2F, ? as %3F.`,
    )
  const login = url.username || url.password ? `${url.username}:${url.password}` : undefined
  return { url: url.origin, ...(login !== undefined && { login }) }
}

/** A lone % in a password would end each attempt with an error that names no cause. */
function isEncoded(login: string): boolean {
  try {
    decodeURIComponent(login)
    return true
  } catch {
    return false
  }
}

/** The proxy's URL as Node takes it. A secret when there is a login. */
export function proxyUrl({ url, login }: ProxyAddress): string {
  return login === undefined ? url : url.replace('://', `://${login}@`)
}

/**
 * What schemes a proxy asks for: its `Proxy-Authenticate` headers to a CONNECT without credentials; empty when it gave
 * none, or no answer before `signal`. Node's own tunnel keeps only the status.
 */
export function askProxySchemes(proxy: ProxyAddress, target: string, signal: AbortSignal): Promise<string[]> {
  const { hostname, port, protocol } = new URL(proxy.url)
  const client = protocol === 'https:' ? https : http
  return new Promise(resolve => {
    const request = client.request({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port || (protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      agent: false,
      signal,
    })
    const finish = (response: http.IncomingMessage) => {
      const { rawHeaders } = response
      request.destroy()
      resolve(rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'proxy-authenticate'))
    }
    request.on('connect', finish)
    request.on('response', finish)
    request.on('error', () => resolve([]))
    request.end()
  })
}
