import type { IncomingMessage } from 'node:http'
import { redactAuthorization } from './credentials.ts'
import type { Exchange } from './protocol.ts'

const MAX_BODY_BYTES = 16 * 1024 * 1024

/** What is remembered of a write request. */
export interface RequestRecord {
  readonly atMs: number
  readonly method: string
  /** With the query. */
  readonly url: string
  /** Authorization is shortened to its scheme. */
  readonly headers: Readonly<Record<string, string>>
  readonly sizeBytes: number
  /** What was answered; 0 when the connection was ended instead. */
  readonly status: number
  /** The refusal's first words. */
  readonly reason: string
}

export function recordOf(exchange: Exchange, url: string, status: number, reason: string): RequestRecord {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(exchange.headers)) if (value !== undefined) headers[name] = String(value)
  const authorization = redactAuthorization(exchange.headers.authorization)
  if (authorization !== undefined) headers.authorization = authorization
  return {
    atMs: exchange.nowMs,
    method: exchange.method,
    url,
    headers,
    sizeBytes: exchange.body.length,
    status,
    reason: reason.trim(),
  }
}

/** The whole body; undefined when it is too large. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
