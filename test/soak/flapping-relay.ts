import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { problem } from '../../shared/problem.ts'
import { readBatch, type WireBatch } from '../../shared/wire.ts'
import { createAuthority } from '../support/certificates.ts'
import { type Answer, isGood, replyFor } from './answers.ts'

/** A relay of the agent's wire that comes and goes, and what it took. */
export interface FlappingRelay {
  readonly url: string
  /** The authority that vouches for it, PEM. */
  readonly ca: string
  /** Times of the snapshots whose post was answered as stored. */
  readonly confirmed: ReadonlySet<number>
  /** How many posts came while it was so. */
  readonly posts: Readonly<Partial<Record<Answer, number>>>
  /** What was wrong with posts: the agent sent what no relay would take. */
  readonly defects: readonly string[]
  become(answer: Answer): Promise<void>
  close(): Promise<void>
}

export async function startFlappingRelay(): Promise<FlappingRelay> {
  const confirmed = new Set<number>()
  const posts: Partial<Record<Answer, number>> = {}
  const defects: string[] = []
  let now: Answer = 'up'
  let release = 1
  const authority = createAuthority('Soak')
  const certified = authority.issue({ name: 'localhost', dns: ['localhost'] })
  let server: Server | undefined
  let port = 0

  function answer(batch: WireBatch, request: IncomingMessage, response: ServerResponse): void {
    if (isGood(now)) for (const { atMs } of batch.snapshots) confirmed.add(atMs)
    const reply = replyFor(now, batch, release)
    if (!reply) return void request.socket.destroy()
    response.writeHead(reply.status, { 'onec-relay-version': `1.0.${release}`, ...reply.headers })
    response.end(reply.body)
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    posts[now] = (posts[now] ?? 0) + 1
    if (now === 'hangs') return
    if (now === 'cuts') return void request.socket.destroy()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.url === '/v1/config')
      return void response.end(JSON.stringify({ revision: release, config: { labels: { release: String(release) } } }))
    const reading = readBatch(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8')))
    if (reading.ok) return answer(reading.batch, request, response)
    defects.push(`${reading.code}: ${reading.detail}`)
    response.writeHead(422).end(JSON.stringify(problem(reading.code, reading.detail)))
  }

  async function open(): Promise<void> {
    const opened = createServer(certified, (request, response) => {
      serve(request, response).catch(() => request.socket.destroy())
    })
    await new Promise<void>(resolve => opened.listen(port, '127.0.0.1', resolve))
    port = (opened.address() as AddressInfo).port
    server = opened
  }

  async function shut(): Promise<void> {
    const closing = server
    server = undefined
    if (!closing) return
    const closed = new Promise(resolve => closing.close(resolve))
    closing.closeAllConnections()
    await closed
  }

  await open()
  return {
    url: `https://localhost:${port}`,
    ca: authority.cert,
    confirmed,
    posts,
    defects,
    async become(next) {
      // Who waits for an answer now learns that there is none.
      if (now === 'hangs') server?.closeAllConnections()
      if (next === 'refuses') await shut()
      else if (!server) await open()
      if (next === 'new-release') release += 1
      now = next
    },
    close: shut,
  }
}
