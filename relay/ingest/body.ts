import { gunzipSync } from 'node:zlib'
import { LIMITS, readBatch, type WireBatch } from '../../shared/wire.ts'
import { ok, type Result, refused } from '../result.ts'

/** What a numeral that JSON does not have looks like in a body that some encoders write all the same. */
const NOT_A_NUMBER = /[:[,]\s*-?(NaN|Infinity)\b/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/**
 * The batch in a request's body (at most `LIMITS.compressedBytes`), or the problem to answer. Inflates no further than
 * `LIMITS.inflatedBytes`, so that a bomb costs its sender more than the relay.
 */
export function readBatchBody(bytes: Uint8Array, encoding: string | undefined): Result<WireBatch> {
  const inflated = inflate(bytes, encoding)
  if (!inflated.ok) return inflated
  const json = parseJson(inflated.value)
  if (!json.ok) return json
  const reading = readBatch(json.value)
  return reading.ok ? ok(reading.batch) : refused(reading.code, reading.detail)
}

function inflate(bytes: Uint8Array, encoding: string | undefined): Result<Uint8Array> {
  if (encoding === undefined || encoding === 'identity') return ok(bytes)
  if (encoding !== 'gzip') return refused('encoding_unsupported', 'Content-Encoding must be gzip or absent.')
  try {
    return ok(gunzipSync(bytes, { maxOutputLength: LIMITS.inflatedBytes }))
  } catch (error) {
    // workerd gives it no code, Node does; in both it is the one RangeError.
    if (error instanceof RangeError)
      return refused(
        'inflated_too_large',
        `The body inflates to more than ${LIMITS.inflatedBytes} bytes. Split the batch.`,
      )
    return refused('gzip_invalid', 'The body is not whole, valid gzip.')
  }
}

function parseJson(bytes: Uint8Array): Result<unknown> {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return refused('json_invalid', 'The body is not UTF-8.')
  }
  try {
    const value = JSON.parse(text)
    return hidesKey(text)
      ? refused('json_invalid', 'A key of the body is "__proto__", which means nothing here.')
      : ok(value)
  } catch {
    // What a parser says quotes the body, which is the client's business: it stays out.
    if (NOT_A_NUMBER.test(text))
      return refused('value_not_finite', 'NaN and Infinity are no JSON: leave out a value that is not known.')
    return refused('json_invalid', 'The body is not valid JSON.')
  }
}

/**
 * Whether some key is `__proto__`: the schema overlooks it, so what is behind it would be stored unchecked. Only a text
 * that spells it, or escapes characters, is looked through.
 */
function hidesKey(text: string): boolean {
  if (!/__proto__|\\u/.test(text)) return false
  let found = false
  JSON.parse(text, (key, value) => {
    found ||= key === '__proto__'
    return value
  })
  return found
}
