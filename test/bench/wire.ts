import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { exchange } from '../../agent/relay.ts'
import { compress, cutBatch, wireBatch } from '../../agent/spool/batch.ts'
import type { SpoolItem } from '../../agent/spool/item.ts'
import { ackSchema } from '../../shared/wire.ts'
import type { Fixture } from './fixture.ts'
import { agentOf, snapshotsOf } from './snapshots.ts'

const POSTS = 20
/** Two hours' worth: more than the agent puts into one batch. */
const MOST_WAITING = 120

/** Bytes of one snapshot: headers, compressed body, answer. */
export interface WireBytes {
  readonly head: number
  readonly body: number
  readonly answer: number
}

/**
 * What passes between the agent's own client and the relay, TLS left out, counted by a pipe between them: `live` with
 * one snapshot a post, as every minute; `inBatches` as the agent cuts a backlog.
 */
export async function measureWire({ relay }: Fixture): Promise<{ live: WireBytes; inBatches: WireBytes }> {
  const { tokens } = await relay.addTenant('ООО Ромашка: провод', 1)
  const pipe = await startCountingPipe(relay.port)
  try {
    const post = poster(pipe.url, tokens[0] ?? '')
    const bytesOf = async (waiting: number): Promise<WireBytes> => {
      const before = { ...pipe.bytes }
      let snapshots = 0
      let body = 0
      for (let count = 0; count < POSTS; count += 1) {
        const posted = await post(waiting)
        snapshots += posted.snapshots
        body += posted.bodyBytes
      }
      const sent = pipe.bytes.sent - before.sent
      return {
        head: (sent - body) / snapshots,
        body: body / snapshots,
        answer: (pipe.bytes.answered - before.answered) / snapshots,
      }
    }
    return { live: await bytesOf(1), inBatches: await bytesOf(MOST_WAITING) }
  } finally {
    await pipe.stop()
  }
}

/** Posts what the agent makes one batch of when so many snapshots wait. */
function poster(route: string, token: string) {
  const snapshots = snapshotsOf(7)
  let seq = 0
  let atMs = Date.now() - 3_600_000
  const next = (): SpoolItem => {
    atMs += 1_000
    return { atMs, snapshot: snapshots.next(0, atMs) }
  }
  return async (waiting: number): Promise<{ snapshots: number; bodyBytes: number }> => {
    const backlog = Array.from({ length: waiting }, next)
    const items = backlog.slice(0, cutBatch(backlog))
    seq += 1
    const id = randomBytes(12).toString('base64url')
    const spool = { id: 'AAAAAAAAAAAAAAAA', pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 }
    const wire = wireBatch({ id, seq, items }, { sentAtMs: Date.now(), agent: agentOf(0, 60_000), spool })
    const body = { bytes: compress(wire), gzip: true }
    const reply = await exchange({ method: 'POST', route, path: 'v1/batches', token, body })
    if (reply.status !== 200 || ackSchema.parse(JSON.parse(reply.body)).id !== id)
      throw new Error(`the relay answered ${JSON.stringify(reply)}`)
    return { snapshots: items.length, bodyBytes: body.bytes.length }
  }
}

async function startCountingPipe(relayPort: number) {
  const bytes = { sent: 0, answered: 0 }
  const sockets = new Set<Socket>()
  const server = createServer(agent => {
    const relay = connect(relayPort, '127.0.0.1')
    for (const [from, to, way] of [
      [agent, relay, 'sent'],
      [relay, agent, 'answered'],
    ] as const) {
      sockets.add(from)
      from.on('data', chunk => {
        bytes[way] += chunk.length
        to.write(chunk)
      })
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
