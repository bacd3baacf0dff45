import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { createAuthority } from '../../support/certificates.ts'

/** TLS before a relay on loopback: agents in the field speak nothing else, and it is a part of what they cost. */
export interface TlsFront {
  readonly url: string
  /** The authority that vouches for it, PEM. */
  readonly ca: string
  close(): void
}

export async function startTlsFront(relayPort: number): Promise<TlsFront> {
  const authority = createAuthority('Bench')
  const certified = authority.issue({ name: 'localhost', dns: ['localhost'] })
  const server = createServer(certified, agent => {
    const relay = connect(relayPort, '127.0.0.1')
    agent.pipe(relay).pipe(agent)
    for (const [one, other] of [
      [agent, relay],
      [relay, agent],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    ca: authority.cert,
    close: () => void server.close(),
  }
}
