import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { influxdb } from '../../../relay/sinks/influxdb.ts'
import type { Batch } from '../../../relay/sinks/sink.ts'
import { readLineProtocol } from '../../support/text-formats.ts'
import { AT_MS, agentBatch, HOST, snapshot, volume } from './batches.ts'

const V2 = { url: 'http://localhost:8086', token: 't', org: 'myorg', bucket: 'onec_metrics' }
const host = { ...HOST, labels: {} }

function encode(batches: readonly Batch[], settings: Readonly<Record<string, unknown>> = V2) {
  const request = influxdb.encode(batches, influxdb.settings.parse(settings))
  if (!request) throw new Error('there is no request')
  return { ...request, text: gunzipSync(request.body as Uint8Array).toString() }
}

describe('lines', () => {
  it('have one point a snapshot and one a label set, fields without onec_', () => {
    const series = [
      volume('C:', 1),
      { name: 'onec_volume_total_bytes', labels: { volume: 'C:' }, value: 2 },
      volume('D:', 3),
      { name: 'other', labels: {}, value: 4 },
    ]
    expect(encode([agentBatch({ host, snapshots: [snapshot(AT_MS, { onec_cpu_percent: 45.2 }, series)] })]).text).toBe(
      [
        `system_metrics,host=БУХ-1С,tenant=ООО\\ Ромашка cpu_percent=45.2,other=4 ${AT_MS}`,
        `system_metrics,host=БУХ-1С,tenant=ООО\\ Ромашка,volume=C: volume_free_bytes=1,volume_total_bytes=2 ${AT_MS}`,
        `system_metrics,host=БУХ-1С,tenant=ООО\\ Ромашка,volume=D: volume_free_bytes=3 ${AT_MS}`,
        '',
      ].join('\n'),
    )
  })

  it('take a tag from the identity first, then from the series, then from the host', () => {
    const labelled = { ...HOST, labels: { host: 'forged', volume: 'static', Env: 'prod' } }
    const forged = { name: 'a', labels: { volume: 'C:', tenant: 'forged' }, value: 1 }
    expect(encode([agentBatch({ host: labelled, snapshots: [snapshot(AT_MS, {}, [forged])] })]).text).toBe(
      `system_metrics,Env=prod,host=БУХ-1С,tenant=ООО\\ Ромашка,volume=C: a=1 ${AT_MS}\n`,
    )
  })

  it('lose a backslash where the protocol cannot carry it, and nothing else', () => {
    const series = ['C:\\Backup\\', 'D:\\ x', '\\', 'E:\\a'].map((label, index) => volume(label, index))
    const held = readLineProtocol(encode([agentBatch({ host, snapshots: [snapshot(AT_MS, {}, series)] })]).text)
    expect(held.map(({ labels }) => labels.volume)).toEqual(['C:\\Backup', 'D: x', undefined, 'E:\\a'])
    expect(held.every(({ labels }) => labels.tenant === 'ООО Ромашка')).toBe(true)
  })

  it('carry the measurement of the settings', () => {
    const batch = agentBatch({ host, snapshots: [snapshot(AT_MS, { a: 1 })] })
    expect(encode([batch], { ...V2, measurement: 'мои метрики' }).text).toMatch(/^мои\\ метрики,host=/)
    expect(influxdb.settings.safeParse({ ...V2, measurement: '#x' }).success).toBe(false)
  })
})

describe('the request', () => {
  const batch = agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 })] })

  it.each([
    ['http://localhost:8086'],
    ['http://localhost:8086/'],
    ['http://localhost:8086/api/v2/write'],
    ['http://localhost:8086/write'],
  ])('to %s is of API v2', url => {
    const request = encode([batch], { ...V2, url })
    expect(request.url).toBe('http://localhost:8086/api/v2/write?org=myorg&bucket=onec_metrics&precision=ms')
    expect(request.headers.authorization).toBe('Token t')
  })

  it('of API v1 names the database and carries Basic', () => {
    const settings = { url: 'http://localhost:8086/base', api: 'v1', db: 'база', user: 'u', password: 'p' }
    const request = encode([batch], settings)
    expect(request.url).toBe('http://localhost:8086/base/write?db=%D0%B1%D0%B0%D0%B7%D0%B0&precision=ms')
    expect(request.headers.authorization).toBe('Basic dTpw')
  })

  it('to VictoriaMetrics needs neither org nor bucket', () => {
    expect(encode([batch], { url: 'http://localhost:8428', measurement: 'onec' }).url).toBe(
      'http://localhost:8428/api/v2/write?precision=ms',
    )
  })

  it.each([
    ['v2 with a token and no org', { token: 't', bucket: 'b' }],
    ['v2 with a token and no bucket', { token: 't', org: 'o' }],
    ['v2 with a database', { ...V2, db: 'd' }],
    ['v1 without a database', { api: 'v1' }],
    ['v1 with a token', { api: 'v1', db: 'd', token: 't' }],
    ['v3', { api: 'v3' }],
    ['a query in the URL', { url: 'http://localhost:8086/api/v2/write?org=myorg' }],
  ])('is refused for %s', (_, settings) => {
    expect(influxdb.settings.safeParse({ url: 'http://localhost:8086', ...settings }).success).toBe(false)
  })
})
