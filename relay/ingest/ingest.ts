import { type Context, Hono } from 'hono'
import { LIMITS, type WireBatch } from '../../shared/wire.ts'
import { answer, answerHeaders } from '../api/answer.ts'
import type { AgentEnv } from '../api/context.ts'
import { type HostToken, readHostToken, tokenProblem } from '../auth/token.ts'
import { tenantObject } from '../objects.ts'
import { errorResponse } from '../problem.ts'
import { type Result, refused } from '../result.ts'
import { readKeyring } from '../secrets/keyring.ts'
import { type IngestHeader, RPC_VERSION } from '../tenant/rpc.ts'
import { readBatchBody } from './body.ts'

/**
 * `POST /v1/batches`, to be mounted at `/v1`. Cheap checks come first: a length, then the token's MAC (no I/O, so that a
 * forged one never wakes an object), then the body. 200 means stored durably.
 */
export function ingestApi(): Hono<AgentEnv> {
  const api = new Hono<AgentEnv>()
  api.onError(errorResponse)
  api.post('/batches', answerHeaders, async c => {
    const stated = Number(c.req.header('Content-Length') ?? 0)
    if (stated > LIMITS.compressedBytes) return answer(c, tooLarge())
    const reading = await readHostToken(readKeyring(c.env.RELAY_KEYS), c.req.header('Authorization'))
    if (reading.kind !== 'ok') {
      const { code, detail } = tokenProblem(reading, 'host')
      return answer(c, refused(code, detail))
    }
    const bytes = await readAtMost(c.req.raw.body, LIMITS.compressedBytes)
    return bytes ? accept(c, reading.token, bytes) : answer(c, tooLarge())
  })
  return api
}

async function accept(c: Context<AgentEnv>, token: HostToken, bytes: Uint8Array): Promise<Response> {
  if (!/^application\/json\b/i.test(c.req.header('Content-Type') ?? ''))
    return answer(c, refused('content_type_unsupported', 'Content-Type must be application/json.'))
  const encoding = c.req.header('Content-Encoding')?.trim().toLowerCase()
  const batch = readBatchBody(bytes, encoding)
  if (!batch.ok) return answer(c, batch)
  const tenant = tenantObject(c.env, token.tenantId, token.shard)
  return answer(c, await tenant.ingest(headerOf(batch.value, token, encoding === 'gzip'), bytes))
}

function headerOf(batch: WireBatch, token: HostToken, gzip: boolean): IngestHeader {
  const times = batch.snapshots.map(({ atMs }) => atMs)
  return {
    rpc: RPC_VERSION,
    hostId: token.hostId,
    secretHash: token.secretHash,
    id: batch.id,
    seq: batch.seq,
    sentAtMs: batch.sentAtMs,
    gzip,
    snapshots: batch.snapshots.length,
    samples: batch.snapshots.reduce(
      (sum, { metrics, series }) => sum + Object.keys(metrics).length + (series?.length ?? 0),
      0,
    ),
    oldestAtMs: times.length === 0 ? null : Math.min(...times),
    newestAtMs: times.length === 0 ? null : Math.max(...times),
    agent: batch.agent,
    spool: batch.spool,
    backups: batch.backups ?? [],
  }
}

/** The whole body, absent when it is longer: whatever a length header claims, no more is read than that. */
async function readAtMost(body: ReadableStream<Uint8Array> | null, most: number): Promise<Uint8Array | undefined> {
  if (!body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > most) return undefined
    chunks.push(chunk)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function tooLarge(): Result<never> {
  return refused(
    'body_too_large',
    `A batch is at most ${LIMITS.compressedBytes} bytes as sent. Split it into smaller ones.`,
  )
}
