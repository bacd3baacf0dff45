import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A company's forward proxy, as strict as one: it knows who may pass, and where to. */
export interface ForwardProxy {
  readonly url: string
  /** Every CONNECT as it came: its target, and whether it was let through. */
  readonly connects: { readonly target: string; readonly passed: boolean }[]
  close(): Promise<void>
}

export interface ForwardProxyRules {
  /** `user:password` that Basic must bring; open to all without one. */
  readonly login?: string
  /** What a 407 offers, Basic by default. Without Basic nobody passes: it knows no other scheme's secrets. */
  readonly schemes?: readonly string[]
  /** Ports of this machine by the `host:port` that is asked for; any other target is answered with `refusal`. */
  readonly targets: Readonly<Record<string, number>>
  /** Status for a target that it does not let through; 403 by default. */
  readonly refusal?: number
}

const BASIC = 'Basic realm="proxy"'

/** It tunnels (CONNECT, RFC 9110 9.3.6) and does nothing else: plain requests get a 405. */
export async function startForwardProxy(rules: ForwardProxyRules): Promise<ForwardProxy> {
  const { schemes = [BASIC], targets, refusal = 403 } = rules
  const connects: ForwardProxy['connects'][number][] = []
  const sockets = new Set<Socket>()
  const server = createServer((_, response) => response.writeHead(405).end())
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  })
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    const target = request.url ?? ''
    const refuse = (status: number, headers: readonly string[] = []) => {
      connects.push({ target, passed: false })
      client.end([`HTTP/1.1 ${status} no`, ...headers, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'))
    }
    if (!maySignIn(rules, request.headers['proxy-authorization']))
      return refuse(
        407,
        schemes.map(scheme => `Proxy-Authenticate: ${scheme}`),
      )
    const port = targets[target]
    if (port === undefined) return refuse(refusal)
    connects.push({ target, passed: true })
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    sockets.add(upstream)
    for (const [one, other] of [
      [upstream, client],
      [client, upstream],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function maySignIn({ login, schemes = [BASIC] }: ForwardProxyRules, authorization: string | undefined): boolean {
  if (login === undefined) return true
  const wanted = `Basic ${Buffer.from(login).toString('base64')}`
  return authorization === wanted && schemes.some(scheme => scheme.startsWith('Basic'))
}
