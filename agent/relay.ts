import ky from 'ky'
import { describeError } from './error.ts'
import type { NoReply, Reply } from './verdict.ts'
import { VERSION } from './version.ts'

const TIMEOUT_MS = 15_000

/** A relay's answers are far shorter; a stranger's page is cut here. */
const MAX_REPLY_BYTES = 64 * 1024

export interface RelayReply extends Reply {
  /** Release of the relay; null when the header is not there. */
  readonly relayVersion: string | null
}

export interface RelayRequest {
  readonly method: 'GET' | 'POST'
  /** Base URL of the relay, a path in it included. */
  readonly route: string
  /** Below the route: `v1/batches`. */
  readonly path: string
  readonly token?: string
  readonly body?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly gzip: boolean }
  readonly signal?: AbortSignal
}

/** One exchange with the relay, at most 15 seconds, never redirected, never repeated here. Does not throw. */
export type Exchange = (request: RelayRequest) => Promise<RelayReply | NoReply>

export const exchange: Exchange = async request => {
  const late = AbortSignal.timeout(TIMEOUT_MS)
  const signal = request.signal ? AbortSignal.any([late, request.signal]) : late
  try {
    const response = await ky(new URL(request.path, `${request.route.replace(/\/+$/, '')}/`), {
      method: request.method,
      headers: headersOf(request),
      ...(request.body && { body: request.body.bytes }),
      retry: 0,
      // The signal covers the answer's body too.
      timeout: false,
      redirect: 'manual',
      throwHttpErrors: false,
      signal,
    })
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      relayVersion: response.headers.get('onec-relay-version'),
      body: await readText(response),
    }
  } catch (error) {
    return { status: null, reason: late.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : describeError(error) }
  }
}

function headersOf({ token, body }: RelayRequest): Record<string, string> {
  return {
    'user-agent': `onec-agent/${VERSION}`,
    accept: 'application/json',
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
    ...(body?.gzip && { 'content-encoding': 'gzip' }),
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > MAX_REPLY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
