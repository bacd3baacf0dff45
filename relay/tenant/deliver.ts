import { type Outcome, parseRetryAfter } from '../../shared/outcome.ts'
import { outcomeOf } from '../sinks/classify.ts'
import type { OutboundRequest, SinkDefinition } from '../sinks/sink.ts'

/** A sink that has not answered by then is tried again later. A hanging one costs the object's wall time. */
export const DELIVERY_TIMEOUT_MS = 10_000
/** Longest wait that a `Retry-After` can ask for (InfluxDB: 10 min; here the back-off's own ceiling). */
const RETRY_AFTER_MAX_MS = 5 * 60_000
/** Enough for a sink's explanation; the rest of a reply is not read. */
const REPLY_BYTES = 4 * 1024

/** Sends one request, the only way out of the relay, and says what became of it. Never throws. */
export async function deliver(
  sink: SinkDefinition,
  request: OutboundRequest,
  secrets: readonly string[],
  now: () => number,
): Promise<Outcome> {
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers as Record<string, string>,
      body: request.body,
      // A redirect would carry the credentials elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
    })
    const body = redact(await readStart(response, REPLY_BYTES), secrets)
    const afterMs = parseRetryAfter(response.headers.get('Retry-After'), now(), RETRY_AFTER_MAX_MS)
    return outcomeOf(sink, { status: response.status, body }, afterMs)
  } catch (error) {
    return { kind: 'retry', reason: redact(`no answer: ${describe(error)}`, secrets), mayBeStored: true }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `timed out after ${DELIVERY_TIMEOUT_MS / 1000} s`
  // workerd says so of a name that does not resolve.
  if (error.message.startsWith('internal error')) return 'the address could not be reached (does its name resolve?)'
  return error.message
}

async function readStart(response: Response, most: number): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let left = most
  while (left > 0) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    const chunk = value.subarray(0, left)
    left -= chunk.length
    text += decoder.decode(chunk, { stream: true })
  }
  await reader.cancel()
  return text
}

/** A server may echo what it was sent. */
export function redact(text: string, secrets: readonly string[]): string {
  // Longest first: one may begin as another does.
  const known = secrets.filter(({ length }) => length > 3).sort((a, b) => b.length - a.length)
  return known.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}

/** Every form in which a secret setting could come back: itself, and inside Basic credentials. */
export function secretForms(settings: Readonly<Record<string, unknown>>, secretFields: readonly string[]): string[] {
  const values = secretFields.flatMap(field => textsIn(settings[field]))
  const user = typeof settings.user === 'string' ? settings.user : ''
  return values.flatMap(value => [value, base64(value), base64(`${user}:${value}`)])
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
