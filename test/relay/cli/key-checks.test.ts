import { describe, expect, it } from 'vitest'
import { belongTogether, keyChecksOf } from '../../../relay/cli/key-checks.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'

const checks = (kek: Record<string, string>, mac: Record<string, string> = { m1: 'm' }) => ({ mac, kek })

describe('belongTogether', () => {
  it.each([
    ['the same keys', checks({ k1: 'a' }), checks({ k1: 'a' }), true],
    ['a key was added', checks({ k1: 'a' }), checks({ k1: 'a', k2: 'b' }), true],
    ['a key was retired', checks({ k1: 'a', k2: 'b' }), checks({ k2: 'b' }), true],
    ['other keys of the same name', checks({ k1: 'a' }), checks({ k1: 'b' }), false],
    ['no key in common', checks({ k1: 'a' }), checks({ k2: 'b' }), false],
    ['another key for tokens', checks({ k1: 'a' }), checks({ k1: 'a' }, { m1: 'n' }), false],
  ])('%s', (_, written, present, expected) => {
    expect(belongTogether(written, present)).toBe(expected)
  })
})

it('a check value gives no key away', () => {
  const text = generateKeyring()
  const written = JSON.stringify(keyChecksOf(readKeyring(text)))
  for (const [, key = ''] of text.matchAll(/"([A-Za-z0-9+/]{43}=)"/g)) {
    expect(written).not.toContain(key)
    expect(written).not.toContain(Buffer.from(key, 'base64').toString('hex'))
  }
})
