import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { relayApp } from '../../../relay/app.ts'
import { mintHostToken, newSecret } from '../../../relay/auth/token.ts'
import type { Env } from '../../../relay/env.ts'
import { ok, type Result, refused } from '../../../relay/result.ts'
import { generateKeyring, readKeyring } from '../../../relay/secrets/keyring.ts'
import type { IngestHeader, TenantRpc } from '../../../relay/tenant/rpc.ts'
import { PROBLEM_STATUS, type ProblemCode } from '../../../shared/problem.ts'
import { type Ack, LIMITS, type WireBatch } from '../../../shared/wire.ts'
import { NOW, report, snapshot, wireBatch } from '../tenant/fixtures.ts'

const HOST = { tenantId: 'romashka', shard: 0, hostId: 'h1' }

/** The whole app over a tenant that only remembers what reached it. */
async function setUp() {
  const keys = generateKeyring()
  const reached: { object: string; header: IngestHeader; body: Uint8Array }[] = []
  const woken: string[] = []
  const world = {
    answer: ({ id }: IngestHeader): Result<Ack> => ok({ id, status: 'stored', nextInMs: 41_250, config: 7 }),
  }
  const env = {
    RELAY_KEYS: keys,
    RELAY_OPERATOR_HASH: '',
    TENANT: {
      getByName(object: string) {
        woken.push(object)
        const ingest = async (header: IngestHeader, body: Uint8Array) => {
          reached.push({ object, header, body })
          return world.answer(header)
        }
        return { ingest } as unknown as TenantRpc
      },
    },
    DIRECTORY: { getByName: () => expect.unreachable('ingest never asks the directory') },
  } as unknown as Env
  const { secret, secretHash } = await newSecret()
  const token = await mintHostToken(readKeyring(keys), { ...HOST, secret })
  const post = async (body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string | null> = {}) => {
    const all = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-encoding': typeof body === 'string' ? null : 'gzip',
      ...headers,
    }
    const sent = Object.entries(all).filter((header): header is [string, string] => header[1] !== null)
    const reply = await relayApp().request('/v1/batches', { method: 'POST', headers: sent, body }, env)
    return { status: reply.status, headers: reply.headers, text: await reply.text() }
  }
  return { post, reached, woken, world, token, secret, secretHash, env }
}

const gzip = (value: unknown) => Uint8Array.from(gzipSync(typeof value === 'string' ? value : JSON.stringify(value)))

/** Text that gzip makes no smaller than about three quarters. */
const noise = (length: number) => {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return String.fromCharCode(33 + ((state >> 16) % 90)).replace(/["\\]/, 'x')
  }).join('')
}

const lines = (...messages: readonly string[]) =>
  messages.map(message => ({ atMs: NOW, level: 'info' as const, message }))

describe('a good batch', () => {
  test('goes to its object as it came, with a header that says what is in it', async () => {
    const { post, reached, secretHash } = await setUp()
    const snapshots = [snapshot(NOW - 60_000), snapshot(NOW, { series: [{ name: 'a', labels: {}, value: 1 }] })]
    const batch = wireBatch({ snapshots, backups: [report()], entries: lines('x') })
    const body = gzip(batch)
    const reply = await post(body)
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)).toEqual({ id: batch.id, status: 'stored', nextInMs: 41_250, config: 7 })
    expect(new TextEncoder().encode(reply.text).length).toBeLessThanOrEqual(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    expect(reached).toEqual([
      {
        object: 'romashka:0',
        body,
        header: {
          rpc: 1,
          hostId: 'h1',
          secretHash,
          id: batch.id,
          seq: batch.seq,
          sentAtMs: batch.sentAtMs,
          gzip: true,
          snapshots: 2,
          samples: 3,
          oldestAtMs: NOW - 60_000,
          newestAtMs: NOW,
          agent: batch.agent,
          spool: batch.spool,
          backups: batch.backups,
        },
      },
    ])
  })

  test('may be plain JSON, and may hold no snapshot', async () => {
    const { post, reached } = await setUp()
    expect((await post(JSON.stringify(wireBatch({ snapshots: [] })))).status).toBe(200)
    expect((await post(JSON.stringify(wireBatch()), { 'content-encoding': 'identity' })).status).toBe(200)
    expect(reached[0]?.header).toMatchObject({ gzip: false, snapshots: 0, newestAtMs: null, backups: [] })
  })

  test('is recognised whatever the case and parameters of its headers', async () => {
    const { post, token } = await setUp()
    const headers = {
      authorization: `bearer ${token}`,
      'content-type': 'Application/JSON; charset=utf-8',
      'content-encoding': 'GZIP',
    }
    expect((await post(gzip(wireBatch()), headers)).status).toBe(200)
  })

  test('may speak of __proto__ in a line, and escape its letters', async () => {
    const { post } = await setUp()
    const text = JSON.stringify(wireBatch({ entries: lines('__proto__ "БУХ"') })).replaceAll('Б', '\\u0411')
    expect((await post(text)).status).toBe(200)
  })
})

describe('bad input has its own code and status, and reaches no object', () => {
  const bad = (code: ProblemCode, reply: { status: number; headers: Headers; text: string }) => {
    expect(reply.status).toBe(PROBLEM_STATUS[code])
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.headers.get('onec-relay-version')).toBeTruthy()
    expect(JSON.parse(reply.text)).toMatchObject({
      code,
      status: PROBLEM_STATUS[code],
      detail: expect.stringMatching(/\w/),
    })
  }

  const unchecked = (more: object) => gzip({ ...wireBatch(), ...more })
  const inSnapshot = (text: string) => gzip(JSON.stringify(wireBatch()).replace('"metrics":{', `"metrics":{${text},`))

  test.each<[string, ProblemCode, Uint8Array<ArrayBuffer> | string, Record<string, string | null>?]>([
    ['no token', 'token_missing', gzip(wireBatch()), { authorization: null }],
    ['basic credentials', 'token_missing', gzip(wireBatch()), { authorization: 'Basic YTpi' }],
    ['a token of nobody', 'token_invalid', gzip(wireBatch()), { authorization: 'Bearer secret' }],
    ['an oversize body', 'body_too_large', Uint8Array.from({ length: LIMITS.compressedBytes + 1 }, () => 7)],
    ['a length that says so', 'body_too_large', gzip(wireBatch()), { 'content-length': '65537', authorization: null }],
    ['no content type', 'content_type_unsupported', gzip(wireBatch()), { 'content-type': null }],
    ['a form', 'content_type_unsupported', gzip(wireBatch()), { 'content-type': 'application/x-www-form-urlencoded' }],
    ['brotli', 'encoding_unsupported', gzip(wireBatch()), { 'content-encoding': 'br' }],
    ['two encodings', 'encoding_unsupported', gzip(wireBatch()), { 'content-encoding': 'gzip, gzip' }],
    ['no gzip', 'gzip_invalid', Uint8Array.from(Buffer.from(JSON.stringify(wireBatch())))],
    ['a torn gzip', 'gzip_invalid', gzip(wireBatch()).slice(0, -9)],
    ['a spoiled gzip', 'gzip_invalid', gzip(wireBatch()).map((byte, at) => (at === 40 ? byte ^ 0xff : byte))],
    ['an empty gzip', 'gzip_invalid', new Uint8Array()],
    ['a bomb', 'inflated_too_large', gzip('0'.repeat(40 * 1024 * 1024))],
    ['an empty body', 'json_invalid', ''],
    ['bad JSON', 'json_invalid', gzip('{"v":1,')],
    ['a web page', 'json_invalid', gzip('<html>')],
    ['JSON that is not UTF-8', 'json_invalid', Uint8Array.from(gzipSync(Buffer.from([0x22, 0xff, 0x22])))],
    ['a hidden key', 'json_invalid', inSnapshot('"__proto__":{"a":1}')],
    ['a hidden key, escaped', 'json_invalid', inSnapshot('"__pr\\u006fto__":{"a":1}')],
    ['no object', 'batch_invalid', gzip('7')],
    ['a wrong version', 'version_unsupported', unchecked({ v: 2 })],
    ['a bad metric name', 'metric_name_invalid', inSnapshot('"onec-cpu":1')],
    ['a metric of the relay’s', 'metric_name_reserved', inSnapshot('"onec_host_up":1')],
    ['NaN', 'value_not_finite', inSnapshot('"onec_x":NaN')],
    ['-Infinity', 'value_not_finite', inSnapshot('"onec_x":-Infinity')],
    ['a number that is too large', 'value_not_finite', inSnapshot('"onec_x":1e999')],
    ['a value in quotes', 'value_not_finite', inSnapshot('"onec_x":"NaN"')],
    ['too many snapshots', 'too_many_snapshots', unchecked({ snapshots: Array(121).fill(snapshot(NOW)) })],
    ['no spool', 'batch_invalid', unchecked({ spool: undefined })],
  ])('%s: %s', async (_, code, body, headers) => {
    const { post, woken } = await setUp()
    bad(code, await post(body, headers))
    expect(woken).toEqual([])
  })

  test('a forged token, whichever part was changed, never wakes an object', async () => {
    const { post, woken, token, secret } = await setUp()
    const parts = token.split('.')
    const other = await newSecret()
    const strangers = readKeyring(generateKeyring())
    const forged = [
      await mintHostToken(strangers, { ...HOST, secret }),
      ...parts.map((part, at) =>
        parts.with(at, ['ohr1', 'm2', 'drugoy', '1', 'h2', other.secret, other.secret][at] ?? part).join('.'),
      ),
    ].filter(one => one !== token)
    expect(forged.length).toBe(parts.length)
    for (const one of forged) bad('token_invalid', await post(gzip(wireBatch()), { authorization: `Bearer ${one}` }))
    expect(woken).toEqual([])
  })

  test('a refusal quotes neither the token nor the body', async () => {
    const { post, token, secret } = await setUp()
    const replies = [
      await post(gzip('{"пароль-1'), {}),
      await post(gzip(wireBatch()), { authorization: `Bearer ${token}x` }),
    ]
    for (const { text } of replies) for (const hidden of ['пароль-1', secret]) expect(text).not.toContain(hidden)
  })
})

describe('limits, on both sides', () => {
  test('64 KB as sent', async () => {
    const { post } = await setUp()
    const fill = (length: number) => {
      const empty = JSON.stringify(wireBatch({ entries: lines('x', 'x') }))
      const half = Math.floor((length - empty.length) / 2)
      return JSON.stringify(
        wireBatch({ entries: lines('x'.repeat(half + 1), 'x'.repeat(length - empty.length - half + 1)) }),
      )
    }
    expect(fill(LIMITS.compressedBytes)).toHaveLength(LIMITS.compressedBytes)
    expect((await post(fill(LIMITS.compressedBytes))).status).toBe(200)
    expect((await post(fill(LIMITS.compressedBytes + 1))).status).toBe(413)
  })

  test('256 KB inflated', async () => {
    const { post } = await setUp()
    const fill = (length: number) => `${JSON.stringify(wireBatch())}${' '.repeat(length)}`.slice(0, length)
    expect((await post(gzip(fill(LIMITS.inflatedBytes)))).status).toBe(200)
    const over = await post(gzip(fill(LIMITS.inflatedBytes + 1)))
    expect([over.status, JSON.parse(over.text).code]).toEqual([413, 'inflated_too_large'])
  })

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, at]))

  test.each<[string, number, ProblemCode, (count: number) => WireBatch]>([
    ['snapshots', 120, 'too_many_snapshots', n => wireBatch({ snapshots: Array(n).fill(snapshot(NOW)) })],
    ['series', 300, 'too_many_series', n => wireBatch({ snapshots: [snapshot(NOW, { metrics: many(n) })] })],
    ['entries', 500, 'too_many_entries', n => wireBatch({ entries: Array(n).fill(lines('x')[0]) })],
    ['bytes of a line', 65_536, 'entry_too_long', n => wireBatch({ entries: lines('x'.repeat(n)) })],
  ])('%s: %i', async (_, most, code, batchOf) => {
    const { post } = await setUp()
    expect((await post(gzip(batchOf(most)))).status).toBe(200)
    const over = await post(gzip(batchOf(most + 1)))
    expect([over.status, JSON.parse(over.text).code]).toEqual([PROBLEM_STATUS[code], code])
  })

  test('a body that comes without a length is read no further than the limit', async () => {
    const { env, token, woken } = await setUp()
    let pulled = 0
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new TextEncoder().encode(noise(16 * 1024)))
      },
    })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const reply = await relayApp().request('/v1/batches', init, env)
    expect(reply.status).toBe(413)
    expect(pulled).toBeLessThan(10)
    expect(woken).toEqual([])
  })
})

describe('what the object says is answered', () => {
  test.each([
    'host_unknown',
    'token_revoked',
    'host_removed',
    'backlog_full',
    'state_unreadable',
    'unavailable',
  ] as const)('%s', async code => {
    const { post, world } = await setUp()
    world.answer = () => refused(code, 'why, and what to do next')
    const reply = await post(gzip(wireBatch()))
    expect([reply.status, JSON.parse(reply.text).code]).toEqual([PROBLEM_STATUS[code], code])
  })

  test('an object that is moving is a "not now", any other failure a bug that shows nothing of itself', async () => {
    const { post, world } = await setUp()
    world.answer = () => {
      throw Object.assign(new Error('Durable Object reset'), { retryable: true })
    }
    const moving = await post(gzip(wireBatch()))
    expect([moving.status, moving.headers.get('retry-after')]).toEqual([503, '5'])
    world.answer = () => {
      throw new Error('пароль-1')
    }
    const failed = await post(gzip(wireBatch()))
    expect(failed.status).toBe(500)
    expect(failed.text).not.toContain('пароль-1')
  })
})

test('another method or path is no way to post', async () => {
  const { env } = await setUp()
  for (const [method, path] of [
    ['GET', '/v1/batches'],
    ['POST', '/v1/batch'],
    ['POST', '/v2/batches'],
  ] as const)
    expect((await relayApp().request(path, { method }, env)).status).toBe(404)
})
