import type { ProblemCode } from '../../shared/problem.ts'
import { fromBase64, toBase64Url } from '../secrets/base64.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { sha256Hex } from './digest.ts'

/**
 * Tokens say whose they are, and an HMAC-SHA-256 over everything before it says that this relay made them: a forged
 * one is refused without any I/O.
 *
 *     ohr1.<kid>.<tenant>.<shard>.<host>.<secret>.<mac>     a host's
 *     oop1.<kid>.<operator>.<secret>.<mac>                  an operator's
 *
 * `secret` is 256 random bits; only its SHA-256 (for an operator: the whole token's) is stored.
 */
const SECRET = '[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]'
const ID = '[A-Za-z0-9_-]{1,64}'
const HOST_TOKEN = new RegExp(
  `^(ohr1\\.([a-z0-9]{1,16})\\.([a-z0-9][a-z0-9-]{0,31})\\.(0|[1-9]\\d{0,4})\\.(${ID})\\.(${SECRET}))\\.(${SECRET})$`,
)
const OPERATOR_TOKEN = new RegExp(`^(oop1\\.([a-z0-9]{1,16})\\.(${ID})\\.(${SECRET}))\\.(${SECRET})$`)

/** Whose a valid host token is. Whether it still counts, only the tenant's object knows. */
export interface HostToken {
  readonly tenantId: string
  readonly shard: number
  readonly hostId: string
  /** SHA-256 (hex) of the token's secret. */
  readonly secretHash: string
}

/** Whose a valid operator token is. Whether it still counts, only the directory knows. */
export interface OperatorToken {
  readonly operatorId: string
  /** SHA-256 (hex) of the whole token. */
  readonly tokenHash: string
}

export type TokenReading<T> =
  | { readonly kind: 'ok'; readonly token: T }
  /** No `Authorization: Bearer …`. */
  | { readonly kind: 'missing' }
  /** Not of the form of such a token. */
  | { readonly kind: 'malformed' }
  /** Signed with a key that the keyring does not have. */
  | { readonly kind: 'unknown-key'; readonly kid: string }
  | { readonly kind: 'forged' }

/** The secret of a new token, and what is stored of it. */
export async function newSecret(): Promise<{ secret: string; secretHash: string }> {
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
  return { secret, secretHash: await sha256Hex(secret) }
}

/** A host's token, signed with the active key. It is shown once and kept nowhere. */
export function mintHostToken(
  keyring: Keyring,
  host: { readonly tenantId: string; readonly shard: number; readonly hostId: string; readonly secret: string },
): Promise<string> {
  return sign(keyring, HOST_TOKEN, kid => ['ohr1', kid, host.tenantId, host.shard, host.hostId, host.secret].join('.'))
}

/** A new token for an operator, signed with the active key, and what is stored of it. */
export async function mintOperatorToken(
  keyring: Keyring,
  operatorId: string,
): Promise<{ token: string; tokenHash: string }> {
  const { secret } = await newSecret()
  const token = await sign(keyring, OPERATOR_TOKEN, kid => ['oop1', kid, operatorId, secret].join('.'))
  return { token, tokenHash: await sha256Hex(token) }
}

/** Most host tokens remembered as good, about 500 bytes each: a host posts every minute, its token stays the same. */
const MAX_GOOD_TOKENS = 4_096

/** Headers whose MAC was found good. Forgotten with the keyring, so that a key that is taken out counts at once. */
const goodTokens = new WeakMap<Keyring, Map<string, HostToken>>()

/** The host token in an `Authorization` header. */
export async function readHostToken(
  keyring: Keyring,
  header: string | null | undefined,
): Promise<TokenReading<HostToken>> {
  const known = goodTokens.get(keyring) ?? new Map<string, HostToken>()
  goodTokens.set(keyring, known)
  const good = known.get(header ?? '')
  if (good) return { kind: 'ok', token: good }
  const reading = await readParts(keyring, HOST_TOKEN, header)
  if (reading.kind !== 'ok') return reading
  const [, , , tenantId = '', shard = '', hostId = '', secret = ''] = reading.token
  const token = { tenantId, shard: Number(shard), hostId, secretHash: await sha256Hex(secret) }
  if (known.size >= MAX_GOOD_TOKENS) known.clear()
  known.set(header ?? '', token)
  return { kind: 'ok', token }
}

/** The operator token in an `Authorization` header. */
export async function readOperatorToken(
  keyring: Keyring,
  header: string | null | undefined,
): Promise<TokenReading<OperatorToken>> {
  const reading = await readParts(keyring, OPERATOR_TOKEN, header)
  if (reading.kind !== 'ok') return reading
  const [token = '', , , operatorId = ''] = reading.token
  return { kind: 'ok', token: { operatorId, tokenHash: await sha256Hex(token) } }
}

/** What to answer to a token that was not `ok`. Never tells a forger how close he is. */
export function tokenProblem(
  reading: Exclude<TokenReading<unknown>, { kind: 'ok' }>,
  expected: 'host' | 'operator',
): { code: ProblemCode; detail: string } {
  const renew = expected === 'host' ? 'Enrol this host again: onec-agent enrol.' : 'Ask an administrator for a new one.'
  switch (reading.kind) {
    case 'missing':
      return { code: 'token_missing', detail: `Send "Authorization: Bearer" with the ${expected}'s token.` }
    case 'malformed':
      return { code: 'token_invalid', detail: `This is no ${expected} token of this relay. ${renew}` }
    case 'unknown-key':
    case 'forged':
      return { code: 'token_invalid', detail: `This relay did not sign this ${expected} token. ${renew}` }
  }
}

/** The match of `form`, index 0 the whole token, once its MAC was found good. */
async function readParts(
  keyring: Keyring,
  form: RegExp,
  header: string | null | undefined,
): Promise<TokenReading<readonly string[]>> {
  const token = header?.match(/^Bearer +(\S+)$/i)?.[1]
  if (!token) return { kind: 'missing' }
  const parts = form.exec(token)
  const [, signed, kid] = parts ?? []
  const mac = fromBase64(parts?.at(-1) ?? '')
  if (!parts || !signed || !kid || !mac) return { kind: 'malformed' }
  const key = await macKey(keyring, kid)
  if (!key) return { kind: 'unknown-key', kid }
  const good = await crypto.subtle.verify('HMAC', key, mac, new TextEncoder().encode(signed))
  return good ? { kind: 'ok', token: parts } : { kind: 'forged' }
}

async function sign(keyring: Keyring, form: RegExp, text: (kid: string) => string): Promise<string> {
  const kid = keyring.mac.active
  const key = await macKey(keyring, kid)
  if (!key) throw new Error(`the active key ${kid} is not in the keyring`)
  const signed = text(kid)
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(signed)))
  const token = `${signed}.${toBase64Url(mac)}`
  // The token itself stays out of the error: it would be valid.
  if (!form.test(token)) throw new Error('a token cannot carry these ids')
  return token
}

/** Imported keys, as many as the keyring has; forgotten with it. Never a promise: those belong to one request. */
const imported = new WeakMap<Keyring, Map<string, CryptoKey>>()

async function macKey(keyring: Keyring, kid: string): Promise<CryptoKey | undefined> {
  const keys = imported.get(keyring) ?? new Map<string, CryptoKey>()
  imported.set(keyring, keys)
  const known = keys.get(kid)
  const bytes = keyring.mac.keys.get(kid)
  if (known || !bytes) return known
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign', 'verify'])
  keys.set(kid, key)
  return key
}
