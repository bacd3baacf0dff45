import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../../relay/sinks/classify.ts'
import { SINK_KINDS, SINKS, sinkOf } from '../../../relay/sinks/index.ts'
import type { Batch, OutboundRequest, SinkDefinition } from '../../../relay/sinks/sink.ts'
import { MAX_REASON_CHARS } from '../../../shared/outcome.ts'
import { AT_MS, agentBatch, batchWithVolumes, deepFreeze, NASTY_VALUES, ROMASHKA, snapshot, volume } from './batches.ts'
import { CASES } from './cases.ts'

const GOLDEN = '../../golden/sinks'

function encode(sink: SinkDefinition, settings: unknown, batches: readonly Batch[]): OutboundRequest {
  const request = sink.encode(batches, sink.settings.parse(settings))
  if (!request) throw new Error('there is no request')
  return request
}

it('registers the four sinks in the order in which they are shown', () => {
  expect(SINK_KINDS).toEqual(['remote-write', 'pushgateway', 'influxdb', 'loki'])
  expect(SINK_KINDS.map(kind => SINKS[kind].kind)).toEqual(SINK_KINDS)
  expect(sinkOf('constructor')).toBeUndefined()
})

describe.each(SINK_KINDS)('%s', kind => {
  const sink: SinkDefinition = SINKS[kind]
  const { settings, secrets, read, held, identity, outcomes } = CASES[kind]

  it('makes the golden request', async () => {
    const request = encode(sink, settings, ROMASHKA)
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${hideSecret(name, value)}`)
    const text = [`${request.method} ${request.url}`, ...headers, `(${request.samples} samples)`, '', read(request)]
    await expect(`${text.join('\n').trimEnd()}\n`).toMatchFileSnapshot(`${GOLDEN}/${kind}.txt`)
  })

  it('gives the same bytes for the same batches', () => {
    expect(encode(sink, settings, ROMASHKA)).toEqual(encode(sink, settings, structuredClone(ROMASHKA)))
  })

  it('leaves its input as it is', () => {
    const batches = deepFreeze(structuredClone(ROMASHKA))
    expect(() => sink.encode(batches, deepFreeze(sink.settings.parse(settings)))).not.toThrow()
  })

  it('makes no request of nothing', () => {
    const parsed = sink.settings.parse(settings)
    expect(sink.encode([], parsed)).toBeUndefined()
    expect(sink.encode([agentBatch()], parsed)).toBeUndefined()
  })

  it('counts what it carries', () => {
    const request = encode(sink, settings, ROMASHKA)
    expect(request.samples).toBe(held(request).length)
  })

  it('carries secrets in headers only', () => {
    const request = encode(sink, settings, ROMASHKA)
    const shown = `${request.url}\n${read(request)}\n${Buffer.from(request.body ?? '').toString('latin1')}`
    for (const secret of secrets)
      for (const form of [
        secret,
        encodeURIComponent(secret),
        ...(['base64', 'base64url', 'hex'] as const).map(encoding => Buffer.from(secret).toString(encoding)),
      ])
        expect(shown).not.toContain(form)
  })

  it('knows which of its settings are secret', () => {
    const shown = Object.fromEntries(Object.entries(settings).filter(([name]) => !sink.secretFields.includes(name)))
    for (const secret of secrets) expect(JSON.stringify(shown)).not.toContain(secret)
  })

  it.each([
    ['a setting that it does not know', { pasword: 'x' }],
    ['a URL of another kind', { url: 'ftp://host.example' }],
    ['a URL that is none', { url: 'host.example' }],
    ['a URL with a line end', { url: 'https://host.example\n' }],
    ['credentials in the URL', { url: 'https://user:pass@host.example' }],
    ['a token in the URL', { url: 'https://host.example/write?access_token=1' }],
    ['a fragment', { url: 'https://host.example/#a' }],
    ['plain http off this machine', { url: 'http://192.168.1.5:9091' }],
    ['a name that only looks like this machine', { url: 'http://127.0.0.1.example.com' }],
  ])('refuses %s', (_, over) => {
    expect(sink.settings.safeParse({ ...settings, ...over }).success).toBe(false)
  })

  it.each([
    'http://localhost:9',
    'http://127.0.0.1:9',
    'http://[::1]:9',
    'http://relay.localhost',
    'https://host.example/base/',
  ])('takes %s', url => {
    expect(sink.settings.safeParse({ ...settings, url }).error?.issues).toBeUndefined()
  })

  it('takes plain http off this machine when told to', () => {
    expect(sink.settings.safeParse({ ...settings, url: 'http://10.0.0.5', allowHttp: true }).success).toBe(true)
  })

  it('never repeats a secret in what it says of bad settings', () => {
    const bad = Object.fromEntries(sink.secretFields.map(name => [name, 'секрет-4715\n']))
    const result = sink.settings.safeParse({ ...settings, ...bad })
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).not.toContain('секрет-4715')
  })

  it('keeps names of any script and every awkward value exactly', () => {
    const request = encode(sink, settings, [batchWithVolumes(NASTY_VALUES)])
    const found = held(request)
    expect(found.map(({ labels }) => labels.volume).sort()).toEqual([...NASTY_VALUES].sort())
    for (const { labels } of found) {
      const whole: Readonly<Record<string, string>> = { ...labels, ...identity }
      expect(whole.tenant).toBe('ООО Ромашка')
      expect(whole.instance ?? whole.host).toBe('БУХ-1С')
    }
  })

  it('leaves out what is not a finite number', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const metrics = { onec_cpu_percent: Number.NaN, onec_memory_percent: Number.POSITIVE_INFINITY }
    const series = bad.map((value, index) => volume(`${index}`, value))
    const parsed = sink.settings.parse(settings)
    expect(sink.encode([agentBatch({ snapshots: [snapshot(AT_MS, metrics, series)] })], parsed)).toBeUndefined()
    const mixed = agentBatch({ snapshots: [snapshot(AT_MS, { ...metrics, onec_uptime_seconds: 5 }, series)] })
    const request = sink.encode([mixed], parsed)
    const found = request ? held(request) : []
    expect(found.length).toBe(sink.kind === 'loki' ? 0 : 1)
    expect(found.every(({ value }) => Number.isFinite(value))).toBe(true)
  })

  it.each(outcomes)('reads %i "%s" as %s', (status, body, expected) => {
    const outcome = outcomeOf(sink, { status, body })
    const held = outcome.kind === 'rejected' && outcome.alreadyHeld ? ', already held' : ''
    const old = outcome.kind === 'rejected' && outcome.tooOld ? ', too old' : ''
    expect(outcome.kind + held + old).toBe(expected)
  })

  it('hands on when to come back, for a retry only', () => {
    expect(outcomeOf(sink, { status: 503, body: '' }, 5_000)).toMatchObject({
      kind: 'retry',
      status: 503,
      afterMs: 5_000,
    })
    expect(outcomeOf(sink, { status: 413, body: '' }, 5_000)).not.toHaveProperty('afterMs')
  })

  it('gives the reason as one line of bounded length', () => {
    for (const status of [260, 301, 400, 401, 413, 422, 500]) {
      const outcome = outcomeOf(sink, { status, body: `first\r\n\tsecond\u0000${'я🚀'.repeat(2_000)}` })
      const reason = 'reason' in outcome ? outcome.reason : `HTTP ${status}: first second `
      expect(reason.startsWith(`HTTP ${status}: first second `)).toBe(true)
      expect(reason.length).toBeLessThanOrEqual(MAX_REASON_CHARS)
      expect(reason).not.toMatch(/\p{Cs}/u)
    }
  })
})

function hideSecret(name: string, value: string): string {
  return name === 'authorization' || name.toLowerCase() === 'x-scope-orgid' ? '(secret)' : value
}
