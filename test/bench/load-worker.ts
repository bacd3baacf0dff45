import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { compress } from '../../agent/spool/batch.ts'
import type { WireBatch } from '../../shared/wire.ts'
import { writeRequestOf } from './encodings.ts'
import { Lane } from './lane.ts'
import { agentOf, snapshotsOf } from './snapshots.ts'
import { InFlight, type Stretch } from './stretch.ts'
import { serveWorker } from './worker.ts'

/** Batches to the relay, or remote-write requests of the same samples to vmagent. */
export interface LoadJob {
  readonly to: 'relay' | 'vmagent'
  readonly port: number
  /** Tokens of the hosts that post in turn; for vmagent only their number counts. */
  readonly tokens: readonly string[]
  /** Connections; a host keeps to one of them, so that it has one post in flight. */
  readonly clients: number
  /** Requests made ready before the clock starts; all are sent unless `seconds` are over before. */
  readonly requests: number
  readonly seconds?: number
  /** Absent: each client sends as soon as it has its answer. */
  readonly perSecond?: number
  readonly intervalMs?: number
  readonly seed: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: readonly Stretch[]
}

serveWorker<LoadJob, LoadResult>(async job => {
  const clients = Math.min(job.clients, job.tokens.length)
  const requests = prepare(job, clients)
  const lanes = Array.from({ length: clients }, () => new Lane(job.port))
  const inFlight = new InFlight()
  const tookMs: number[] = []
  const startMs = performance.now()
  const endMs = startMs + (job.seconds ?? Number.POSITIVE_INFINITY) * 1000
  await Promise.all(
    lanes.map(async (lane, client) => {
      for (let at = client; at < requests.length; at += clients) {
        await paced(startMs, at, job.perSecond)
        const sentMs = performance.now()
        if (sentMs >= endMs) break
        inFlight.enter()
        const { status, body } = await lane.send(requests[at] ?? new Uint8Array())
        inFlight.leave()
        tookMs.push(performance.now() - sentMs)
        const good = job.to === 'vmagent' ? status === 204 : status === 200 && body.includes('"stored"')
        if (!good) throw new Error(`answered ${status}: ${body.slice(0, 300)}`)
      }
    }),
  ).finally(() => {
    for (const lane of lanes) lane.close()
  })
  const seconds = (performance.now() - startMs) / 1000
  const sorted = tookMs.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return {
    requests: tookMs.length,
    seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    busy: inFlight.take(),
  }
})

async function paced(startMs: number, at: number, perSecond: number | undefined): Promise<void> {
  if (perSecond === undefined) return
  const waitMs = startMs + (at / perSecond) * 1000 - performance.now()
  if (waitMs > 0) await wait(waitMs)
}

/** In the order of sending: request n is client `n % clients`'s, and its hosts take turns. */
function prepare(job: LoadJob, clients: number): Uint8Array[] {
  const snapshots = snapshotsOf(job.seed)
  const now = Date.now()
  const hosts = job.tokens.length
  const perClient = Math.floor(hosts / clients)
  return Array.from({ length: job.requests }, (_, at) => {
    const turn = Math.floor(at / clients)
    const host = (at % clients) + clients * (turn % perClient)
    const round = Math.floor(turn / perClient)
    // A millisecond apart: newer than all that was sent before, and hardly ahead of the clock.
    const snapshot = snapshots.next(host, now + round)
    if (job.to === 'vmagent') return httpRequest('/api/v1/write', REMOTE_WRITE, writeRequestOf(host, snapshot))
    const batch: WireBatch = {
      v: 1,
      id: randomBytes(12).toString('base64url'),
      seq: round,
      sentAtMs: now,
      agent: agentOf(host, job.intervalMs ?? 60_000),
      snapshots: [snapshot],
      entries: [{ atMs: snapshot.atMs, level: 'info', message: 'Sent 45 metrics to the relay' }],
      spool: { id: 'AAAAAAAAAAAAAAAA', pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 },
    }
    return httpRequest('/v1/batches', { ...BATCH, authorization: `Bearer ${job.tokens[host]}` }, compress(batch))
  })
}

const BATCH = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'user-agent': 'onec-agent/1.0.0' }
const REMOTE_WRITE = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
}

function httpRequest(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(body.length) })
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}
