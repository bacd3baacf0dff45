import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const TIMEOUT_MS = 30_000
const KEPT_ALIVE = new Agent({ keepAlive: true, maxSockets: 256 })

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The whole answer; undefined when there was none, or not to its end. */
export function forward(
  port: number,
  incoming: IncomingMessage,
  path: string,
  body: Buffer,
): Promise<Answer | undefined> {
  return new Promise(resolve => {
    const { method, headers } = incoming
    const onward = request(
      { host: '127.0.0.1', port, method, path, headers, timeout: TIMEOUT_MS, agent: KEPT_ALIVE },
      reply =>
        readAll(reply).then(
          answer => resolve({ status: reply.statusCode ?? 502, headers: reply.headers, body: answer }),
          () => resolve(undefined),
        ),
    )
    onward.on('timeout', () => onward.destroy())
    onward.on('error', () => resolve(undefined))
    onward.end(body)
  })
}

export function pass(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const { connection, 'keep-alive': _, 'transfer-encoding': __, ...kept } = headers
  outgoing.writeHead(status, { ...kept, 'content-length': body.length }).end(body)
}

/** Serves on loopback; `handle` never rejects for what the client or the far side does. */
export async function serve(
  handle: (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer) => Promise<void>,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => {
    outgoing.on('error', () => {})
    readAll(incoming).then(
      body => handle(incoming, outgoing, body),
      () => outgoing.destroy(),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
