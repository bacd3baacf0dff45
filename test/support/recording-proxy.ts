import { createServer, request as forward, type IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import type { Snapshot, WireBatch } from '../../shared/wire.ts'

/** One post of an agent as it passed by. */
export interface Post {
  readonly batch: WireBatch
  /** What the relay answered; absent when it did not. */
  readonly status: number | undefined
}

export interface RecordingProxy {
  readonly url: string
  readonly posts: readonly Post[]
  /** Every snapshot that was ever posted, once each, by time. */
  snapshots(): readonly Snapshot[]
  /** While set, posts are answered with it and go no further: a proxy's login page, for example. */
  answerInstead: { readonly status: number; readonly type: string; readonly body: string } | undefined
  stop(): Promise<void>
}

/** Stands between an agent and the relay, forwards everything, and keeps what the agent posted. */
export async function startRecordingProxy(port: number, relayPort: () => number): Promise<RecordingProxy> {
  const posts: Post[] = []
  const server = createServer(async (incoming, outgoing) => {
    const body = await readAll(incoming)
    if (proxy.answerInstead && incoming.url === '/v1/batches') {
      const { status, type, body: page } = proxy.answerInstead
      outgoing.writeHead(status, { 'Content-Type': type }).end(page)
      return
    }
    const note = (status: number | undefined) => {
      if (incoming.url === '/v1/batches') posts.push({ batch: JSON.parse(gunzipSync(body).toString()), status })
    }
    const onward = forward(
      {
        host: '127.0.0.1',
        port: relayPort(),
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        timeout: 20_000,
      },
      async reply => {
        const answer = await readAll(reply).catch(() => undefined)
        note(answer ? reply.statusCode : undefined)
        if (!answer) return void outgoing.destroy()
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers).end(answer)
      },
    )
    onward.on('error', () => {
      note(undefined)
      outgoing.destroy()
    })
    onward.end(body)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    posts,
    answerInstead: undefined,
    snapshots() {
      const byTime = new Map(posts.flatMap(({ batch }) => batch.snapshots.map(one => [one.atMs, one] as const)))
      return [...byTime.values()].sort((a, b) => a.atMs - b.atMs)
    },
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
