import { RelayError } from '../problem.ts'
import { fromBase64, toBase64Url } from './base64.ts'
import type { Keyring } from './keyring.ts'

/**
 * Envelope encryption of destinations' secrets, AES-256-GCM throughout, all parts base64url.
 *
 *     dk1.<kid>.<iv>.<ciphertext>   a tenant's data key, wrapped by the key-encryption key `kid`
 *     sf1.<iv>.<ciphertext>         one secret field, under that data key
 *
 * What a text belongs to is authenticated with it, so that a row moved to another tenant, destination, field or
 * version does not open. Rotating the key-encryption key re-wraps the data key only.
 */
const DATA_KEY = /^dk1\.([a-z0-9]{1,16})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{64})$/
const SEALED = /^sf1\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/
const IV_BYTES = 12

/** Where a secret is kept: it opens only there. `version` is the destination's. */
export interface SecretPlace {
  readonly tenantId: string
  readonly destinationId: string
  readonly field: string
  readonly version: number
}

/** An opened data key. Its bytes cannot be read out of it. */
export type DataKey = CryptoKey

/** A new random data key for a tenant, wrapped by the active key-encryption key. */
export async function createDataKey(keyring: Keyring, tenantId: string): Promise<string> {
  return wrap(keyring, tenantId, crypto.getRandomValues(new Uint8Array(32)))
}

/** Fails with `state_unreadable` when the keyring lacks the key that wrapped it, or when it was tampered with. */
export async function openDataKey(keyring: Keyring, tenantId: string, wrapped: string): Promise<DataKey> {
  return importKey(await unwrap(keyring, tenantId, wrapped))
}

/** The same data key under the active key-encryption key; the same text when it is there already. */
export async function rewrapDataKey(keyring: Keyring, tenantId: string, wrapped: string): Promise<string> {
  if (DATA_KEY.exec(wrapped)?.[1] === keyring.kek.active) return wrapped
  return wrap(keyring, tenantId, await unwrap(keyring, tenantId, wrapped))
}

/** One secret field as the text to store. Two calls never give the same text. */
export async function seal(dataKey: DataKey, place: SecretPlace, secret: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  return `sf1.${toBase64Url(iv)}.${await encrypt(dataKey, iv, placeText(place), utf8(secret))}`
}

/** The secret that {@link seal} stored at this place. Fails with `state_unreadable`. */
export async function open(dataKey: DataKey, place: SecretPlace, sealed: string): Promise<string> {
  const [, iv = '', ciphertext = ''] = SEALED.exec(sealed) ?? []
  const bytes = await decrypt(dataKey, iv, placeText(place), ciphertext)
  if (bytes) return new TextDecoder().decode(bytes)
  throw new RelayError(
    'state_unreadable',
    `The stored ${place.field} of destination ${place.destinationId} does not open with this tenant's key. ` +
      'Set it again: onec-relay destination edit.',
  )
}

async function wrap(keyring: Keyring, tenantId: string, key: Uint8Array<ArrayBuffer>): Promise<string> {
  const kid = keyring.kek.active
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  return `dk1.${kid}.${toBase64Url(iv)}.${await encrypt(await wrappingKey(keyring, kid), iv, keyText(tenantId, kid), key)}`
}

async function unwrap(keyring: Keyring, tenantId: string, wrapped: string): Promise<Uint8Array<ArrayBuffer>> {
  const [, kid = '', iv = '', ciphertext = ''] = DATA_KEY.exec(wrapped) ?? []
  if (!kid)
    throw new RelayError(
      'state_unreadable',
      `The data key of tenant ${tenantId} is not in a form that this release reads.`,
    )
  const key = await decrypt(await wrappingKey(keyring, kid), iv, keyText(tenantId, kid), ciphertext)
  if (key) return key
  throw new RelayError(
    'state_unreadable',
    `The data key of tenant ${tenantId} does not open with key-encryption key "${kid}" of RELAY_KEYS: ` +
      'that key has the same id but other bytes, or the stored state was changed.',
  )
}

function wrappingKey(keyring: Keyring, kid: string): Promise<CryptoKey> {
  const bytes = keyring.kek.keys.get(kid)
  if (bytes) return importKey(bytes)
  throw new RelayError(
    'state_unreadable',
    `RELAY_KEYS has no key-encryption key "${kid}", which wraps this tenant's secrets. Put it back into the keyring.`,
  )
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

async function encrypt(
  key: CryptoKey,
  iv: Uint8Array<ArrayBuffer>,
  owner: string,
  plain: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const additionalData = new TextEncoder().encode(owner)
  return toBase64Url(new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, plain)))
}

/** Absent when it does not open: WebCrypto says no more than that. */
async function decrypt(
  key: CryptoKey,
  iv: string,
  owner: string,
  ciphertext: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const ivBytes = fromBase64(iv)
  const bytes = fromBase64(ciphertext)
  if (ivBytes?.length !== IV_BYTES || !bytes) return undefined
  const additionalData = new TextEncoder().encode(owner)
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: ivBytes, additionalData }, key, bytes))
  } catch {
    return undefined
  }
}

const keyText = (tenantId: string, kid: string) => ownerText('data-key', tenantId, kid)

const placeText = (place: SecretPlace) =>
  ownerText(place.tenantId, place.destinationId, place.field, String(place.version))

/** A copy: an encoder's own buffer may be a shared one, which WebCrypto does not take. */
const utf8 = (text: string) => Uint8Array.from(new TextEncoder().encode(text))

function ownerText(...parts: readonly string[]): string {
  // Ids and field names are ASCII; with the separator inside, two places could read the same.
  if (parts.some(part => part.includes('|'))) throw new Error(`an id contains "|": ${parts.join(' ')}`)
  return parts.join('|')
}
