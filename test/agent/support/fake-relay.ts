import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type ProblemCode, problem } from '../../../shared/problem.ts'
import { readBatch, type WireBatch } from '../../../shared/wire.ts'
import type { Certified } from '../../support/certificates.ts'

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Takes the batch, and the connection dies before the answer. */
  readonly hangUp?: true
  /** Stores the batch although the answer does not say so. */
  readonly store?: true
}

/** What a relay that speaks `shared/wire.ts` to the letter would do, and what it took. */
export interface FakeRelay {
  readonly url: string
  /** Posts as they came, refused ones too. */
  readonly posts: WireBatch[]
  /** Stored batches by id, the first of each. */
  readonly stored: Map<string, WireBatch>
  readonly requests: { method: string; path: string; authorization: string | undefined; bytes: number }[]
  /** Answers for the next posts instead of the relay's own. */
  readonly answers: Answer[]
  nextInMs: number
  config: { revision: number; config: unknown }
  version: string
  close(): Promise<void>
}

export const refusal = (code: ProblemCode): Answer => {
  const body = problem(code, 'told so by the test')
  return { status: body.status, body: JSON.stringify(body) }
}

/** With a certificate it speaks TLS. */
export async function startFakeRelay(certificate?: Certified): Promise<FakeRelay> {
  const listener = (request: IncomingMessage, response: ServerResponse) => void serve(relay, request, response)
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const relay: FakeRelay = {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts: [],
    stored: new Map(),
    requests: [],
    answers: [],
    nextInMs: 0,
    config: { revision: 1, config: {} },
    version: '1.0.0',
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return relay
}

async function serve(relay: FakeRelay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const { method = '', url = '', headers } = request
  relay.requests.push({ method, path: url, authorization: headers.authorization, bytes: body.length })
  const reply = (status: number, value: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json', 'onec-relay-version': relay.version })
    response.end(JSON.stringify(value))
  }
  if (url === '/v1/config') return reply(200, relay.config)
  if (url === '/v1/enrol') {
    const config = relay.config
    return reply(200, { hostId: 'h1', token: 'ohr1.test.token', routes: [], config })
  }
  if (method === 'GET') return reply(404, problem('route_unknown', `There is no GET ${url}.`))
  const reading = readBatch(JSON.parse(gunzipSync(body).toString('utf8')))
  if (!reading.ok) return reply(422, problem(reading.code, reading.detail))
  const { batch } = reading
  relay.posts.push(batch)
  const answer = relay.answers.shift()
  if (answer) {
    if (answer.store && !relay.stored.has(batch.id)) relay.stored.set(batch.id, batch)
    if (answer.hangUp) return void request.socket.destroy()
    response.writeHead(answer.status, { 'onec-relay-version': relay.version, ...answer.headers })
    return void response.end(answer.body ?? '')
  }
  const status = relay.stored.has(batch.id) ? 'duplicate' : 'stored'
  if (status === 'stored') relay.stored.set(batch.id, batch)
  reply(200, { id: batch.id, status, nextInMs: relay.nextInMs, config: relay.config.revision })
}
