import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { remoteWrite } from '../../../relay/sinks/remote-write.ts'
import type { OutboundRequest, SinkDefinition } from '../../../relay/sinks/sink.ts'
import { DELIVERY_TIMEOUT_MS, deliver, redact, secretForms } from '../../../relay/tenant/deliver.ts'
import { NOW } from './fixtures.ts'

const SINK = { kind: 'fake', title: 'Fake' } as unknown as SinkDefinition
const SECRETS = secretForms({ user: '123456', password: 'пароль-1' }, ['password'])
const servers: Server[] = []

afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/write`
}

const request = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  method: 'POST',
  url,
  headers: { authorization: 'Basic MTIzNDU2OnNlY3JldA==', 'content-type': 'text/plain' },
  body: 'onec_cpu_percent 45.2\n',
  samples: 1,
  ...more,
})

const send = (url: string, sink = SINK) => deliver(sink, request(url), SECRETS, () => NOW)

const answering = (status: number, body = '', headers: Record<string, string> = {}) =>
  serve((_, response) => void response.writeHead(status, headers).end(body))

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message) text += chunk
  return text
}

describe('a request', () => {
  test('arrives as the sink made it', async () => {
    const seen: unknown[] = []
    const url = await serve(async (message, response) => {
      seen.push([message.method, message.url, message.headers.authorization, await bodyOf(message)])
      response.writeHead(204).end()
    })
    expect(await send(url)).toEqual({ kind: 'delivered' })
    const bare = request(url, { method: 'DELETE', body: null, headers: {} })
    expect(await deliver(SINK, bare, [], () => NOW)).toEqual({ kind: 'delivered' })
    expect(seen).toEqual([
      ['POST', '/write', 'Basic MTIzNDU2OnNlY3JldA==', 'onec_cpu_percent 45.2\n'],
      ['DELETE', '/write', undefined, ''],
    ])
  })

  test('is not taken elsewhere by a redirect, which would have the credentials', async () => {
    let elsewhere = 0
    const target = await serve((_, response) => {
      elsewhere += 1
      response.end()
    })
    const url = await answering(307, 'moved', { location: target })
    expect(await send(url)).toMatchObject({ kind: 'suspended', reason: expect.stringContaining('HTTP 307') })
    expect(elsewhere).toBe(0)
  })
})

describe('no answer is a retry, and the other side may hold it', () => {
  test('connection refused', async () => {
    const url = await answering(204)
    const server = servers.pop()
    await new Promise(resolve => server?.close(resolve))
    expect(await send(url)).toMatchObject({
      kind: 'retry',
      mayBeStored: true,
      reason: expect.stringMatching(/^no answer/),
    })
  })

  test('connection cut before the answer', async () => {
    const url = await serve(message => message.socket.destroy())
    expect(await send(url)).toMatchObject({ kind: 'retry', mayBeStored: true })
  })

  test('a name that is none', async () => {
    expect(await send('http://')).toMatchObject({ kind: 'retry' })
  })

  test('an answer cut short', async () => {
    const url = await serve((message, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half of')
      setImmediate(() => message.socket.destroy())
    })
    expect(await send(url)).toMatchObject({ kind: 'retry', mayBeStored: true })
  })

  test('one that hangs, before its answer or in it, is given up after 10 s', {
    timeout: DELIVERY_TIMEOUT_MS + 5_000,
  }, async () => {
    const silent = await serve(() => {})
    const endless = await serve((_, response) => void response.writeHead(200).write('x'))
    const gaveUp = { kind: 'retry', mayBeStored: true, reason: 'no answer: timed out after 10 s' }
    expect(await Promise.all([send(silent), send(endless)])).toEqual([gaveUp, gaveUp])
  })
})

describe('an answer', () => {
  test('goes through the sink’s own reading', async () => {
    const url = await answering(400, 'out of order sample')
    const outcome = await send(url, remoteWrite as unknown as SinkDefinition)
    expect(outcome).toMatchObject({ kind: 'rejected', alreadyHeld: true })
  })

  test('brings its Retry-After, at most five minutes', async () => {
    const at = new Date(NOW + 20_000).toUTCString()
    const waits = [
      ['7', 7_000],
      [at, Math.floor((NOW + 20_000) / 1_000) * 1_000 - NOW],
      ['86400', 300_000],
    ] as const
    for (const [header, afterMs] of waits)
      expect(await send(await answering(503, 'busy', { 'retry-after': header }))).toMatchObject({
        afterMs,
        status: 503,
      })
  })

  test('is read to 4 KB and no further', async () => {
    let closed = false
    const url = await serve((_, response) => {
      response.on('close', () => {
        closed = true
      })
      response.writeHead(400)
      const more = () => {
        while (!response.destroyed && response.write('y'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    let seen = 0
    const sink = {
      classify: ({ body }: { body: string }) => {
        seen = body.length
        return undefined
      },
    }
    expect(await send(url, sink as unknown as SinkDefinition)).toMatchObject({ kind: 'rejected' })
    expect(seen).toBe(4_096)
    await expect.poll(() => closed).toBe(true)
  })

  test('that echoes the credentials shows none of them', async () => {
    const basic = Buffer.from('123456:пароль-1').toString('base64')
    const echo = `no: password=пароль-1 authorization=Basic ${basic} ${Buffer.from('пароль-1').toString('base64')}`
    const outcome = await send(await answering(401, echo))
    expect(outcome).toEqual({
      kind: 'suspended',
      reason: 'HTTP 401: no: password=[redacted] authorization=Basic [redacted] [redacted]',
    })
  })
})

describe('redaction', () => {
  test('knows secrets inside a record of headers', () => {
    const forms = secretForms({ headers: { 'x-api-key': 'k-123456' } }, ['headers', 'bearerToken'])
    expect(redact('key k-123456 refused', forms)).toBe('key [redacted] refused')
  })

  test('a secret that begins as another does leaves nothing behind', () => {
    expect(redact('abcdef abcd', ['abcd', 'abcdef'])).toBe('[redacted] [redacted]')
  })

  test('what is too short to be one is left, so that words stay words', () => {
    expect(redact('a cat', ['', 'a', 'cat'])).toBe('a cat')
  })
})
