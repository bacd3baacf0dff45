import { createServer } from 'node:http'
import { InFlight, type Stretch } from './stretch.ts'
import { serveWorker } from './worker.ts'

/** Requests and bytes since the last report, by the first part of the path. */
export interface SinkReport {
  readonly port: number
  readonly requests: Readonly<Record<string, number>>
  readonly bytes: number
  /** When requests were being answered. */
  readonly busy: readonly Stretch[]
}

/** Asks for the report; from then on answers take `answerAfterMs`. */
export interface SinkQuestion {
  readonly answerAfterMs: number
}

const inFlight = new InFlight()
let requests: Record<string, number> = {}
let bytes = 0
let answerAfterMs = 0

/** Cheap and quick: it reads a request, counts it and answers 204, so that it takes little of the machine. */
const server = createServer((request, response) => {
  inFlight.enter()
  const kind = request.url?.split('/', 2)[1] ?? ''
  requests[kind] = (requests[kind] ?? 0) + 1
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const answer = () => response.writeHead(204).end(() => inFlight.leave())
  request.on('end', () => (answerAfterMs > 0 ? setTimeout(answer, answerAfterMs) : answer()))
})
const listening = new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))

serveWorker<SinkQuestion, SinkReport>(async question => {
  await listening
  answerAfterMs = question.answerAfterMs
  const report = { port: (server.address() as { port: number }).port, requests, bytes, busy: inFlight.take() }
  requests = {}
  bytes = 0
  return report
})
