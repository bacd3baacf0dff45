import { createServer } from 'node:http'

/** What stands between the relay and a store does with the next requests. */
export type Fate = 'through' | 'refused' | 'reply lost'

export interface LossyProxy {
  readonly url: string
  /** Until it is set again. */
  fate: Fate
  /** Of the next requests, before that. */
  readonly next: Fate[]
  /** Requests that reached the store. */
  readonly through: number
  stop(): Promise<void>
}

/** Passes requests on to a store, refuses them with 503, or passes them on and loses the reply. */
export async function startLossyProxy(target: string): Promise<LossyProxy> {
  let through = 0
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const fate = proxy.next.shift() ?? proxy.fate
    if (fate === 'refused') return void outgoing.writeHead(503).end('out of order')
    const { host, connection, 'content-length': _, ...headers } = incoming.headers
    const reply = await fetch(`${target}${incoming.url}`, {
      method: incoming.method ?? 'POST',
      headers: headers as Record<string, string>,
      body: new Uint8Array(Buffer.concat(chunks)),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await reply.text()
    through += 1
    if (fate === 'reply lost') return void outgoing.destroy()
    outgoing.writeHead(reply.status).end(text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const proxy: LossyProxy = {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    fate: 'through',
    next: [],
    get through() {
      return through
    },
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}
