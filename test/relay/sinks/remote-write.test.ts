import { describe, expect, it } from 'vitest'
import { remoteWrite } from '../../../relay/sinks/remote-write.ts'
import type { Batch } from '../../../relay/sinks/sink.ts'
import { METRICS } from '../../../shared/metrics.ts'
import { AT_MS, agentBatch, HOST, ROMASHKA, relayBatch, snapshot, volume } from './batches.ts'
import { CASES } from './cases.ts'

const { read } = CASES['remote-write']
const URL = 'https://metrics.example'

function encode(batches: readonly Batch[], settings: Readonly<Record<string, unknown>> = { url: URL }) {
  const request = remoteWrite.encode(batches, remoteWrite.settings.parse(settings))
  if (!request) throw new Error('there is no request')
  return request
}

/** Series and samples as text, metadata left out. */
function seriesText(batches: readonly Batch[]): string {
  const text = read(encode(batches)).split('\n')
  return text.filter(line => !line.startsWith('metadata ')).join('\n')
}

it('makes the golden bytes', async () => {
  const { body } = encode(ROMASHKA, CASES['remote-write'].settings)
  const hex = Buffer.from(body as Uint8Array).toString('hex')
  await expect(`${hex.replace(/.{1,64}/g, '$&\n')}`).toMatchFileSnapshot('../../golden/sinks/remote-write.hex')
})

describe('series', () => {
  it('are one however many batches carry them, in order of time, the last of two with one time', () => {
    const first = agentBatch({ snapshots: [snapshot(AT_MS + 2, { a: 2 }), snapshot(AT_MS, { a: 0 })] })
    const second = agentBatch({ snapshots: [snapshot(AT_MS + 1, { a: 1 }), snapshot(AT_MS + 2, { a: 22 })] })
    expect(seriesText([first, second])).toBe(
      [
        '{__name__="a", instance="БУХ-1С", job="onec_backup_bot", site="Москва, центр", tenant="ООО Ромашка"}',
        `  0 @ ${AT_MS}`,
        `  1 @ ${AT_MS + 1}`,
        `  22 @ ${AT_MS + 2}`,
      ].join('\n'),
    )
  })

  it('have their labels in order of the names, a capital letter before __name__', () => {
    const host = { ...HOST, labels: { Zone: 'z', zone: 'y', empty: '' } }
    const batch = agentBatch({ host, snapshots: [snapshot(AT_MS, {}, [{ name: 'a', labels: { _x: '1' }, value: 1 }])] })
    expect(seriesText([batch])).toContain(
      '{Zone="z", __name__="a", _x="1", instance="БУХ-1С", job="onec_backup_bot", tenant="ООО Ромашка", zone="y"}',
    )
  })

  it('take a label from the identity first, then from the series, then from the host', () => {
    const host = { ...HOST, labels: { volume: 'static', tenant: 'forged', site: 'A' } }
    const forged = { name: 'a', labels: { volume: 'C:', instance: 'forged', job: 'forged' }, value: 1 }
    expect(seriesText([agentBatch({ host, snapshots: [snapshot(AT_MS, {}, [forged])] })])).toContain(
      '{__name__="a", instance="БУХ-1С", job="onec_backup_bot", site="A", tenant="ООО Ромашка", volume="C:"}',
    )
  })

  it('of two tenants with a host of one name stay apart', () => {
    const host = { id: 'h1', name: 'SRV-1C', labels: {} }
    const batches = ['ООО Ромашка', 'ИП Иванов'].map((name, index) =>
      agentBatch({ tenant: { id: `t${index}`, name }, host, snapshots: [snapshot(AT_MS, { a: index })] }),
    )
    expect(seriesText(batches).match(/^\{.*\}$/gm)).toHaveLength(2)
  })

  it('of the relay on itself have its job', () => {
    const batch = relayBatch({ job: 'onec_relay', snapshots: [snapshot(AT_MS, { onec_delivery_backlog_batches: 0 })] })
    expect(seriesText([batch])).toContain('job="onec_relay"')
  })

  it('with empty labels are those without', () => {
    const batch = agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 }, [{ name: 'a', labels: {}, value: 2 }])] })
    expect(seriesText([batch]).match(/^ {2}.*$/gm)).toEqual([`  2 @ ${AT_MS}`])
  })
})

describe('metadata', () => {
  const metadata = (batches: readonly Batch[]) => read(encode(batches)).match(/^metadata \w+ \w+/gm) ?? []

  it('is the whole catalogue, with what the relay says', () => {
    const found = metadata([relayBatch({ snapshots: [snapshot(AT_MS, { onec_host_up: 1 })] })])
    expect(found).toEqual(Object.entries(METRICS).map(([name, { type }]) => `metadata ${type} ${name}`))
  })

  it('does not go with every post of a host', () => {
    expect(metadata([agentBatch({ snapshots: [snapshot(AT_MS, {}, [volume('C:', 1)])] })])).toEqual([])
  })
})

describe('the URL', () => {
  it.each([
    ['http://localhost:9090', 'http://localhost:9090/api/v1/write'],
    ['http://localhost:9090/', 'http://localhost:9090/api/v1/write'],
    ['https://mimir.example/api/v1/push', 'https://mimir.example/api/v1/push'],
    ['https://vm.example/api/v1/write/?extra_label=a=b', 'https://vm.example/api/v1/write?extra_label=a=b'],
    ['https://prometheus-prod-01.grafana.net', 'https://prometheus-prod-01.grafana.net/api/prom/push'],
    ['https://prometheus-prod-01.grafana.net/api/prom', 'https://prometheus-prod-01.grafana.net/api/prom/push'],
    ['https://prometheus-prod-01.grafana.net/api/prom/push', 'https://prometheus-prod-01.grafana.net/api/prom/push'],
    ['https://notgrafana.net', 'https://notgrafana.net/api/v1/write'],
  ])('%s is %s', (url, expected) => {
    const batch = agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 })] })
    expect(encode([batch], { url }).url).toBe(expected)
  })
})

describe('headers', () => {
  const batch = agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 })] })

  it('are those of remote write 1.0', () => {
    expect(encode([batch]).headers).toEqual({
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      'user-agent': 'onec-relay/0.1.0',
    })
  })

  it('carry Basic or Bearer', () => {
    const basic = encode([batch], { url: URL, user: '123456', password: 'пароль' })
    expect(basic.headers.authorization).toBe(`Basic ${Buffer.from('123456:пароль').toString('base64')}`)
    expect(encode([batch], { url: URL, bearerToken: 'abc' }).headers.authorization).toBe('Bearer abc')
  })

  it.each([
    ['both', { user: 'a', password: 'b', bearerToken: 'c' }],
    ['a password without a user', { password: 'b' }],
    ['a user without a password', { user: 'a' }],
    ['a user with a colon', { user: 'a:b', password: 'c' }],
    ['a token with a line end', { bearerToken: 'abc\n' }],
  ])('refuse %s', (_, credentials) => {
    expect(remoteWrite.settings.safeParse({ url: URL, ...credentials }).success).toBe(false)
  })

  it.each([
    'Content-Type',
    'CONTENT-ENCODING',
    'X-Prometheus-Remote-Write-Version',
    'User-Agent',
    'authorization',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'bad name',
    'bad\r\nname',
  ])('refuse %j of a user', name => {
    expect(remoteWrite.settings.safeParse({ url: URL, headers: { [name]: 'x' } }).success).toBe(false)
  })

  it('refuse a value with a line end, and one name in two spellings', () => {
    expect(remoteWrite.settings.safeParse({ url: URL, headers: { 'X-A': 'a\r\nHost: b' } }).success).toBe(false)
    expect(remoteWrite.settings.safeParse({ url: URL, headers: { 'X-A': 'a', 'x-a': 'b' } }).success).toBe(false)
  })

  it('take others of a user', () => {
    expect(encode([batch], { url: URL, headers: { 'X-Scope-OrgID': 'team-a' } }).headers).toHaveProperty(
      'X-Scope-OrgID',
    )
  })
})
