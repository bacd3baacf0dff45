import { describe, expect, test } from 'vitest'
import {
  createDataKey,
  open,
  openDataKey,
  rewrapDataKey,
  type SecretPlace,
  seal,
} from '../../../relay/secrets/envelope.ts'
import { type Keyring, readKeyring } from '../../../relay/secrets/keyring.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

function keyring(active: string, kek: Record<string, string>): Keyring {
  return readKeyring(JSON.stringify({ mac: { active: 'm1', keys: { m1: key(1) } }, kek: { active, keys: kek } }))
}

const OLD = keyring('k1', { k1: key(2) })
const BOTH = keyring('k2', { k1: key(2), k2: key(3) })
const NEW = keyring('k2', { k2: key(3) })
const TENANT = 'ooo-romashka'
const PLACE: SecretPlace = { tenantId: TENANT, destinationId: 'grafana-prometheus', field: 'password', version: 3 }
const CANARY = 'glc_КанарейкаCanary0123456789=='

describe('a sealed field', () => {
  test('opens where it was sealed, and never looks the same', async () => {
    const dataKey = await openDataKey(OLD, TENANT, await createDataKey(OLD, TENANT))
    const first = await seal(dataKey, PLACE, CANARY)
    const second = await seal(dataKey, PLACE, CANARY)
    expect(first).not.toBe(second)
    expect(first).toMatch(/^sf1\.[\w-]{16}\.[\w-]+$/)
    expect(await open(dataKey, PLACE, first)).toBe(CANARY)
    expect(await open(dataKey, PLACE, second)).toBe(CANARY)
    expect(await open(dataKey, PLACE, await seal(dataKey, PLACE, ''))).toBe('')
  })

  test.each<Partial<SecretPlace>>([
    { tenantId: 'ooo-lyutik' },
    { destinationId: 'loki' },
    { field: 'user' },
    { version: 4 },
  ])('does not open at another place: %o', async other => {
    const dataKey = await openDataKey(OLD, TENANT, await createDataKey(OLD, TENANT))
    const sealed = await seal(dataKey, PLACE, CANARY)
    await expect(open(dataKey, { ...PLACE, ...other }, sealed)).rejects.toMatchObject({ code: 'state_unreadable' })
  })

  test('does not open when a bit was changed, nor with another tenant’s key', async () => {
    const dataKey = await openDataKey(OLD, TENANT, await createDataKey(OLD, TENANT))
    const sealed = await seal(dataKey, PLACE, CANARY)
    const changed = sealed.replace(/(.)(?=.$)/, letter => (letter === 'A' ? 'B' : 'A'))
    const other = await openDataKey(OLD, TENANT, await createDataKey(OLD, TENANT))
    for (const [usedKey, text] of [
      [dataKey, changed],
      [other, sealed],
      [dataKey, ''],
      [dataKey, CANARY],
    ] as const) {
      const error = await open(usedKey, PLACE, text).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'state_unreadable' })
      expect(`${error}`).not.toContain('glc_')
    }
  })

  test('two places cannot read the same', async () => {
    const dataKey = await openDataKey(OLD, TENANT, await createDataKey(OLD, TENANT))
    await expect(seal(dataKey, { ...PLACE, field: 'a|b' }, CANARY)).rejects.toThrow('|')
  })
})

describe('a data key', () => {
  test('is re-wrapped under the active key; what it sealed still opens', async () => {
    const wrapped = await createDataKey(OLD, TENANT)
    const sealed = await seal(await openDataKey(OLD, TENANT, wrapped), PLACE, CANARY)
    const rewrapped = await rewrapDataKey(BOTH, TENANT, wrapped)
    expect(wrapped).toMatch(/^dk1\.k1\./)
    expect(rewrapped).toMatch(/^dk1\.k2\./)
    expect(await rewrapDataKey(BOTH, TENANT, rewrapped)).toBe(rewrapped)
    expect(await open(await openDataKey(NEW, TENANT, rewrapped), PLACE, sealed)).toBe(CANARY)
    expect(await open(await openDataKey(BOTH, TENANT, wrapped), PLACE, sealed)).toBe(CANARY)
  })

  test('whose wrapping key is gone says which one', async () => {
    const wrapped = await createDataKey(OLD, TENANT)
    const gone = { code: 'state_unreadable', message: expect.stringContaining('"k1"') }
    await expect(openDataKey(NEW, TENANT, wrapped)).rejects.toMatchObject(gone)
    await expect(rewrapDataKey(NEW, TENANT, wrapped)).rejects.toMatchObject(gone)
  })

  test('of another tenant, under another key of that id, or damaged does not open', async () => {
    const wrapped = await createDataKey(OLD, TENANT)
    const unreadable = { code: 'state_unreadable' }
    await expect(openDataKey(OLD, 'ooo-lyutik', wrapped)).rejects.toMatchObject(unreadable)
    await expect(openDataKey(keyring('k1', { k1: key(9) }), TENANT, wrapped)).rejects.toMatchObject(unreadable)
    for (const damaged of ['', 'dk2.k1.a.b', wrapped.slice(0, -1), `${wrapped}A`])
      await expect(openDataKey(OLD, TENANT, damaged)).rejects.toMatchObject(unreadable)
  })
})

test('nothing stored has the secret in it, as text, base64 or hex; the search finds a planted one', async () => {
  const wrapped = await createDataKey(OLD, TENANT)
  const sealed = await seal(await openDataKey(OLD, TENANT, wrapped), PLACE, CANARY)
  const stored = JSON.stringify({ wrapped, sealed })
  expect(traces(stored)).toEqual([])
  expect(traces(`${stored}${CANARY}`)).toEqual(['utf8'])
  expect(traces(`${stored}${Buffer.from(CANARY).toString('hex')}`)).toEqual(['hex'])
  expect(traces(`${stored}${Buffer.from(CANARY).toString('base64')}`)).toEqual(['base64'])
})

/** Encodings in which a piece of the canary, or of a key, is found; each ciphertext decoded too. */
function traces(stored: string): string[] {
  const seen = [stored, ...stored.split(/[^\w-]/).map(part => Buffer.from(part, 'base64url').toString('latin1'))].join(
    '\n',
  )
  const secrets = [Buffer.from(CANARY), Buffer.alloc(32, 2)]
  return (['utf8', 'hex', 'base64'] as const).filter(encoding =>
    secrets.some(secret => seen.includes(secret.toString(encoding).slice(0, 16))),
  )
}
