import { describe, expect, test } from 'vitest'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const set = (id: string, key: unknown) => ({ active: id, keys: { [id]: key } })
const keyring = (mac: unknown, kek: unknown) => JSON.stringify({ mac, kek })

describe('readKeyring', () => {
  test('takes what generateKeyring makes, a new one each time', () => {
    const text = generateKeyring()
    const { mac, kek } = readKeyring(text)
    expect([mac.active, kek.active]).toEqual(['m1', 'k1'])
    expect(mac.keys.get('m1')).toHaveLength(32)
    expect(kek.keys.get('k1')).not.toEqual(mac.keys.get('m1'))
    expect(readKeyring(text)).toBe(readKeyring(text))
    expect(generateKeyring()).not.toBe(text)
  })

  test('takes several keys, base64 or base64url', () => {
    const bytes = Buffer.alloc(32, 0xfb)
    const keys = { m1: KEY, m2: bytes.toString('base64url') }
    const { mac } = readKeyring(keyring({ active: 'm2', keys }, set('k1', KEY)))
    expect([...mac.keys.keys()]).toEqual(['m1', 'm2'])
    expect(mac.keys.get('m2')).toEqual(Uint8Array.from(bytes))
  })

  test.each([
    ['nothing', undefined, 'not set'],
    ['an empty text', '', 'not set'],
    ['no JSON', `{"mac": ${KEY}`, 'not JSON'],
    ['no kek', JSON.stringify({ mac: set('m1', KEY) }), 'at kek'],
    ['a short key', keyring(set('m1', KEY.slice(0, 40)), set('k1', KEY)), 'at mac.keys.m1'],
    ['a long key', keyring(set('m1', KEY), set('k1', Buffer.alloc(33, 7).toString('base64'))), 'at kek.keys.k1'],
    ['a key that is no base64', keyring(set('m1', `${KEY.slice(0, -2)}!=`), set('k1', KEY)), 'at mac.keys.m1'],
    ['an active key that is not there', keyring({ active: 'm2', keys: { m1: KEY } }, set('k1', KEY)), 'active key'],
    ['a key id that no token can carry', keyring(set('m.1', KEY), set('k1', KEY)), 'key id'],
  ])('refuses %s, naming the place and no key', (_, text, place) => {
    const error = thrownBy(() => readKeyring(text))
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining(place) })
    expect(`${error}`).toContain('RELAY_KEYS')
    expect(`${error}`).not.toContain(KEY.slice(0, 12))
  })
})

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
