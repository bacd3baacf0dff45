import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A provider in the way of a server that lets each connection carry so many bytes of answers, and then no more. */
export interface StallingLink {
  readonly port: number
  close(): Promise<void>
}

/** Nothing is closed when the limit is reached: both sides wait, as they do behind a real one. */
export async function startStallingLink(toPort: number, limitBytes: number): Promise<StallingLink> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(toPort, '127.0.0.1')
    let carriedBytes = 0
    upstream.on('data', chunk => {
      carriedBytes += chunk.length
      if (carriedBytes <= limitBytes) client.write(chunk)
    })
    client.pipe(upstream)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
