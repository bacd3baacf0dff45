import * as z from 'zod'
import { RelayError } from '../problem.ts'
import { fromBase64, toBase64 } from './base64.ts'

const KEY_BYTES = 32
/** Old keys stay only as long as tokens or wrapped keys name them: a rotation needs two. */
const MAX_KEYS = 16

/** Keys of one purpose by id. `active` makes what is new; the others only read what is old. */
export interface KeySet {
  readonly active: string
  readonly keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
}

/** `mac` signs tokens; `kek` wraps the tenants' data keys. */
export interface Keyring {
  readonly mac: KeySet
  readonly kek: KeySet
}

const keyId = z.string().regex(/^[a-z0-9]{1,16}$/, 'a key id is 1–16 lower-case letters and digits')

const keyText = z.string().transform((text, context) => {
  const bytes = fromBase64(text)
  if (bytes?.length === KEY_BYTES) return bytes
  context.addIssue({ code: 'custom', message: `expected base64 of ${KEY_BYTES} bytes` })
  return z.NEVER
})

const keySet = z
  .strictObject({ active: keyId, keys: z.record(keyId, keyText) })
  .refine(set => Object.keys(set.keys).length <= MAX_KEYS, `at most ${MAX_KEYS} keys`)
  .refine(set => Object.hasOwn(set.keys, set.active), 'the active key is not among the keys')
  .transform((set): KeySet => ({ active: set.active, keys: new Map(Object.entries(set.keys)) }))

const keyring = z.strictObject({ mac: keySet, kek: keySet })

/** The last text read: one isolate has one keyring, and every request asks for it. */
let last: { readonly text: string; readonly keyring: Keyring } | undefined

/**
 * The keyring in `RELAY_KEYS`:
 * `{"mac":{"active":"m1","keys":{"m1":"<base64, 32 bytes>"}},"kek":{"active":"k1","keys":{"k1":"<…>"}}}`.
 * The same text gives the same object. Fails with `unavailable`, naming the place at fault and never a key.
 */
export function readKeyring(text: string | undefined): Keyring {
  if (!text) throw unusable('it is not set. Make one with "onec-relay init" and give it to the relay as a secret.')
  if (last?.text === text) return last.keyring
  const parsed = keyring.safeParse(parseJson(text))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw unusable(`${issue?.message} (at ${issue?.path.map(String).join('.') || 'the top'}).`)
  }
  last = { text, keyring: parsed.data }
  return parsed.data
}

/** A new keyring with one random key for each purpose, in the form that {@link readKeyring} takes. */
export function generateKeyring(): string {
  return JSON.stringify({
    mac: { active: 'm1', keys: { m1: randomKey() } },
    kek: { active: 'k1', keys: { k1: randomKey() } },
  })
}

function randomKey(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
}

/** `JSON.parse` quotes its input in the error, and here that is a key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unusable('it is not JSON.')
  }
}

function unusable(why: string): RelayError {
  return new RelayError('unavailable', `The relay cannot use its keyring RELAY_KEYS: ${why}`)
}
