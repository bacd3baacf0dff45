import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loki } from '../../../relay/sinks/loki.ts'
import type { Batch } from '../../../relay/sinks/sink.ts'
import { AT_MS, agentBatch, entry, relayBatch, snapshot } from './batches.ts'

function encode(batches: readonly Batch[], settings: Readonly<Record<string, unknown>> = {}) {
  const request = loki.encode(batches, loki.settings.parse({ url: 'http://localhost:3100', ...settings }))
  if (!request) throw new Error('there is no request')
  return { ...request, push: JSON.parse(gunzipSync(request.body as Uint8Array).toString()) }
}

const IDENTITY = { job: 'onec_backup_bot', host: 'БУХ-1С', tenant: 'ООО Ромашка' }

describe('streams', () => {
  it('are one per host and level, in order of time, over all batches', () => {
    const batches = [
      agentBatch({ entries: [entry(AT_MS + 2, 'info', 'third'), entry(AT_MS, 'error', 'bad')] }),
      agentBatch({ entries: [entry(AT_MS, 'info', 'first'), entry(AT_MS, 'info', 'second')] }),
    ]
    expect(encode(batches).push).toEqual({
      streams: [
        {
          stream: { ...IDENTITY, level: 'info' },
          values: [
            [`${AT_MS}000000`, 'first'],
            [`${AT_MS}000000`, 'second'],
            [`${AT_MS + 2}000000`, 'third'],
          ],
        },
        { stream: { ...IDENTITY, level: 'error' }, values: [[`${AT_MS}000000`, 'bad']] },
      ],
    })
  })

  it('of the relay are its own', () => {
    const batches = [
      agentBatch({ entries: [entry(AT_MS, 'info', 'from the host')] }),
      relayBatch({ entries: [entry(AT_MS, 'info', 'of the host')] }),
      relayBatch({ job: 'onec_relay', entries: [entry(AT_MS, 'info', 'of itself')] }),
    ]
    expect(encode(batches).push.streams.map(({ stream }: { stream: object }) => stream)).toEqual([
      { ...IDENTITY, level: 'info' },
      { ...IDENTITY, level: 'info', source: 'relay' },
      { ...IDENTITY, job: 'onec_relay', level: 'info', source: 'relay' },
    ])
  })

  it('carry fields as structured metadata, never as labels', () => {
    const batch = agentBatch({ entries: [entry(AT_MS, 'info', 'done', { file: 'D:\\x.dt', level: 'x' })] })
    const [stream] = encode([batch]).push.streams
    expect(stream.stream).toEqual({ ...IDENTITY, level: 'info' })
    expect(stream.values).toEqual([[`${AT_MS}000000`, 'done', { file: 'D:\\x.dt', level: 'x' }]])
  })

  it('need entries', () => {
    const settings = loki.settings.parse({ url: 'http://localhost:3100' })
    expect(loki.encode([agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 })] })], settings)).toBeUndefined()
  })
})

describe('the request', () => {
  const batch = agentBatch({ entries: [entry(AT_MS, 'info', 'x')] })

  it.each([
    'https://logs.example/base',
    'https://logs.example/base/',
    'https://logs.example/base/loki/api/v1/push',
    'https://logs.example/base/loki/api/v1/push/',
  ])('to %s has the API path once', url => {
    expect(encode([batch], { url }).url).toBe('https://logs.example/base/loki/api/v1/push')
  })

  it('has a tenant of Loki only when one is set', () => {
    expect(encode([batch]).headers).toEqual({
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'user-agent': 'onec-relay/0.1.0',
    })
    expect(encode([batch], { tenantId: 'team-a' }).headers['x-scope-orgid']).toBe('team-a')
  })

  it.each(['', 'a|b', 'команда', 'a\r\nb'])('refuses the tenant id %j', tenantId => {
    expect(loki.settings.safeParse({ url: 'http://localhost:3100', tenantId }).success).toBe(false)
  })
})
