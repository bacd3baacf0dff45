import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../relay/auth/digest.ts'
import {
  mintHostToken,
  mintOperatorToken,
  newSecret,
  readHostToken,
  readOperatorToken,
  tokenProblem,
} from '../../../relay/auth/token.ts'
import { type Keyring, readKeyring } from '../../../relay/secrets/keyring.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

function keyring(active: string, mac: Record<string, string>): Keyring {
  return readKeyring(JSON.stringify({ mac: { active, keys: mac }, kek: { active: 'k1', keys: { k1: key(2) } } }))
}

const KEYS = keyring('m1', { m1: key(1) })
const HOST = { tenantId: 'ooo-romashka', shard: 0, hostId: 'bukh-1s' }

async function mint(keys = KEYS, host: Partial<typeof HOST> = {}) {
  const { secret, secretHash } = await newSecret()
  return { token: await mintHostToken(keys, { ...HOST, ...host, secret }), secret, secretHash }
}

describe('a host token', () => {
  test('says whose it is; only the hash of its secret is known', async () => {
    const { token, secret, secretHash } = await mint()
    expect(token).toMatch(/^ohr1\.m1\.ooo-romashka\.0\.bukh-1s\.[\w-]{43}\.[\w-]{43}$/)
    expect(secretHash).toBe(await sha256Hex(secret))
    expect(await readHostToken(KEYS, `Bearer ${token}`)).toEqual({ kind: 'ok', token: { ...HOST, secretHash } })
    expect(await readHostToken(KEYS, `bearer  ${token}`)).toMatchObject({ kind: 'ok' })
  })

  test.each([undefined, null, '', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'ohr1.m1'])(
    '%s is missing',
    async header => {
      expect(await readHostToken(KEYS, header)).toEqual({ kind: 'missing' })
    },
  )

  test('no changed character passes', async () => {
    const { token } = await mint()
    for (let i = 0; i < token.length; i++) {
      const changed = token.slice(0, i) + (token[i] === 'a' ? 'b' : 'a') + token.slice(i + 1)
      expect((await readHostToken(KEYS, `Bearer ${changed}`)).kind, changed).not.toBe('ok')
    }
    for (const other of [token.slice(0, -1), `${token}A`, `${token}.x`, `${token}=`, token.toUpperCase()])
      expect((await readHostToken(KEYS, `Bearer ${other}`)).kind).toBe('malformed')
  })

  test('each reason is told apart', async () => {
    const { token } = await mint()
    const swapped = token.replace('.ooo-romashka.', '.ooo-lyutik.')
    expect(await readHostToken(KEYS, `Bearer ${swapped}`)).toEqual({ kind: 'forged' })
    expect(await readHostToken(keyring('m1', { m1: key(5) }), `Bearer ${token}`)).toEqual({ kind: 'forged' })
    expect(await readHostToken(keyring('m2', { m2: key(1) }), `Bearer ${token}`)).toEqual({
      kind: 'unknown-key',
      kid: 'm1',
    })
    for (const text of ['x', 'Ромашка', `ohr1.${'a'.repeat(10_000)}`, token.replace('.0.', '.00.')])
      expect(await readHostToken(KEYS, `Bearer ${text}`)).toEqual({ kind: 'malformed' })
  })

  test('of before a rotation is good until its key is taken out', async () => {
    const { token } = await mint()
    const rotated = keyring('m2', { m1: key(1), m2: key(4) })
    expect(await readHostToken(rotated, `Bearer ${token}`)).toMatchObject({ kind: 'ok' })
    const renewed = await mint(rotated)
    expect(renewed.token).toMatch(/^ohr1\.m2\./)
    expect(await readHostToken(rotated, `Bearer ${renewed.token}`)).toMatchObject({ kind: 'ok' })
  })

  test('that was found good is so for its own keyring alone, and a forged one never becomes it', async () => {
    const { token, secretHash } = await mint()
    const swapped = token.replace('.ooo-romashka.', '.ooo-lyutik.')
    const good = { kind: 'ok', token: { ...HOST, secretHash } }
    for (let time = 0; time < 2; time += 1) {
      expect(await readHostToken(KEYS, `Bearer ${token}`)).toEqual(good)
      expect(await readHostToken(KEYS, `Bearer ${swapped}`)).toEqual({ kind: 'forged' })
      expect(await readHostToken(keyring('m1', { m1: key(6) }), `Bearer ${token}`)).toEqual({ kind: 'forged' })
    }
  })

  test.each([
    { tenantId: 'Ромашка' },
    { tenantId: 'a.b' },
    { hostId: '' },
    { hostId: 'a b' },
    { shard: -1 },
    { shard: 0.5 },
  ])('cannot be minted for %o, and the error has no token in it', async ids => {
    const { secret } = await newSecret()
    const error = await mintHostToken(KEYS, { ...HOST, ...ids, secret }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(`${error}`).not.toContain(secret)
  })
})

describe('an operator token', () => {
  test('is known by the hash of the whole of it', async () => {
    const { token, tokenHash } = await mintOperatorToken(KEYS, 'root')
    expect(token).toMatch(/^oop1\.m1\.root\.[\w-]{43}\.[\w-]{43}$/)
    expect(tokenHash).toBe(await sha256Hex(token))
    expect(await readOperatorToken(KEYS, `Bearer ${token}`)).toEqual({
      kind: 'ok',
      token: { operatorId: 'root', tokenHash },
    })
  })

  test('and a host token do not pass for each other', async () => {
    const { token } = await mintOperatorToken(KEYS, 'root')
    expect(await readHostToken(KEYS, `Bearer ${token}`)).toEqual({ kind: 'malformed' })
    expect(await readOperatorToken(KEYS, `Bearer ${(await mint()).token}`)).toEqual({ kind: 'malformed' })
  })
})

test('a refusal does not tell a forger how close he is', () => {
  expect(tokenProblem({ kind: 'missing' }, 'host').code).toBe('token_missing')
  const forged = tokenProblem({ kind: 'forged' }, 'host')
  expect(forged.code).toBe('token_invalid')
  expect(tokenProblem({ kind: 'unknown-key', kid: 'm9' }, 'host')).toEqual(forged)
  expect(tokenProblem({ kind: 'malformed' }, 'operator').code).toBe('token_invalid')
})
