import { describe, expect, it } from 'vitest'
import { pushgateway } from '../../../relay/sinks/pushgateway.ts'
import type { Batch } from '../../../relay/sinks/sink.ts'
import { AT_MS, agentBatch, HOST, relayBatch, snapshot, volume } from './batches.ts'

const GROUP = '/tenant@base64/0J7QntCeINCg0L7QvNCw0YjQutCw/instance@base64/0JHQo9ClLTHQoQ'
const plainHost = { ...HOST, labels: {} }

function encode(batches: readonly Batch[], settings: Readonly<Record<string, unknown>> = {}) {
  return pushgateway.encode(batches, pushgateway.settings.parse({ url: 'http://localhost:9091', ...settings }))
}

/** Series lines, without HELP and TYPE. */
function seriesLines(batches: readonly Batch[]): string[] {
  const body = encode(batches)?.body
  return String(body)
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
}

const of = (over: Partial<Batch>) => agentBatch({ host: plainHost, ...over })
const says = (over: Partial<Batch>) => relayBatch({ host: plainHost, ...over })

describe('what is pushed', () => {
  it('is the newest snapshot of the agent with the newest of the relay', () => {
    const batches = [
      of({ snapshots: [snapshot(AT_MS, { a: 1 }), snapshot(AT_MS + 60_000, { a: 2, b: 3 })] }),
      says({ snapshots: [snapshot(AT_MS + 5, { onec_host_up: 0 })] }),
      of({ snapshots: [snapshot(AT_MS + 30_000, { a: 9, c: 9 })] }),
      says({ snapshots: [snapshot(AT_MS + 10, { onec_host_up: 1 })] }),
    ]
    expect(seriesLines(batches)).toEqual(['a 2', 'b 3', 'onec_host_up 1'])
  })

  it('is all that the relay says at its newest time', () => {
    const batches = [
      says({ snapshots: [snapshot(AT_MS, { onec_host_up: 1 })] }),
      says({ snapshots: [snapshot(AT_MS, { onec_backup_runs_total: 4 })] }),
    ]
    expect(seriesLines(batches)).toEqual(['onec_host_up 1', 'onec_backup_runs_total 4'])
  })

  it('names a series once: the relay stands over the agent, the last over the first', () => {
    const twice = [volume('C:', 1), volume('C:', 2)]
    const batches = [
      of({ snapshots: [snapshot(AT_MS, { a: 1, b: 1 }, twice)] }),
      says({ snapshots: [snapshot(AT_MS - 60_000, { a: 2 })] }),
    ]
    expect(seriesLines(batches)).toEqual(['a 2', 'b 1', 'onec_volume_free_bytes{volume="C:"} 2'])
    expect(encode(batches)?.samples).toBe(3)
  })

  it('keeps a family together, after one HELP and one TYPE', () => {
    const batches = [
      of({ snapshots: [snapshot(AT_MS, { onec_uptime_seconds: 1 }, [volume('C:', 1), volume('D:', 2)])] }),
      says({ snapshots: [snapshot(AT_MS, { onec_host_up: 1 }, [volume('E:', 3)])] }),
    ]
    expect(encode(batches)?.body).toBe(
      [
        '# HELP onec_uptime_seconds Time since boot in seconds.',
        '# TYPE onec_uptime_seconds gauge',
        'onec_uptime_seconds 1',
        '# HELP onec_volume_free_bytes Free space on a volume in bytes.',
        '# TYPE onec_volume_free_bytes gauge',
        'onec_volume_free_bytes{volume="C:"} 1',
        'onec_volume_free_bytes{volume="D:"} 2',
        'onec_volume_free_bytes{volume="E:"} 3',
        '# HELP onec_host_up Whether the host posts on time: 1 up or late, 0 down.',
        '# TYPE onec_host_up gauge',
        'onec_host_up 1',
        '',
      ].join('\n'),
    )
  })

  it('has no time and no identity in the body', () => {
    const forged = { name: 'a', labels: { x: '1' }, value: 1 }
    expect(seriesLines([agentBatch({ snapshots: [snapshot(AT_MS, {}, [forged])] })])).toEqual([
      'a{site="Москва, центр",x="1"} 1',
    ])
  })

  it('is of one host', () => {
    const other = agentBatch({ host: { ...HOST, id: 'h2' }, snapshots: [snapshot(AT_MS, { a: 1 })] })
    expect(() => encode([agentBatch({ snapshots: [snapshot(AT_MS, { a: 1 })] }), other])).toThrow('one group')
  })
})

describe('a removed host', () => {
  it('has its group deleted', () => {
    const snapshots = [snapshot(AT_MS, { a: 1 })]
    const request = encode([of({ snapshots }), says({ removed: true })])
    expect(request).toMatchObject({ method: 'DELETE', body: null, samples: 0 })
    expect(request?.url).toBe(`http://localhost:9091/metrics/job/onec_backup_bot${GROUP}`)
  })

  it('that is back is pushed again, without what was before', () => {
    const batches = [
      of({ snapshots: [snapshot(AT_MS, { old: 1 })] }),
      says({ removed: true }),
      of({ snapshots: [snapshot(AT_MS - 1, { fresh: 1 })] }),
    ]
    expect(encode(batches)?.method).toBe('PUT')
    expect(seriesLines(batches)).toEqual(['fresh 1'])
  })
})

describe('the path', () => {
  const batches = [of({ snapshots: [snapshot(AT_MS, { a: 1 })] })]

  it.each([
    ['http://localhost:9091', 'http://localhost:9091'],
    ['http://localhost:9091/metrics', 'http://localhost:9091'],
    ['http://localhost:9091/metrics/job/onec_backup_bot', 'http://localhost:9091'],
    ['https://push.example/prefix/', 'https://push.example/prefix'],
  ])('of %s begins with %s', (url, base) => {
    expect(encode(batches, { url })?.url).toBe(`${base}/metrics/job/onec_backup_bot${GROUP}`)
  })

  it.each([
    ['nightly.backup-1', '/job/nightly.backup-1/'],
    ['a/b', '/job@base64/YS9i/'],
    ['..', '/job@base64/Li4/'],
    ['бэкапы', '/job@base64/0LHRjdC60LDQv9GL/'],
  ])('has the job %s as %s', (job, expected) => {
    expect(encode(batches, { job })?.url).toContain(`/metrics${expected}`)
  })

  it('is the relay’s own for what it says of itself', () => {
    const batch = relayBatch({ job: 'onec_relay', snapshots: [snapshot(AT_MS, { onec_delivery_backlog_batches: 0 })] })
    expect(encode([batch])?.url).toContain('/metrics/job/onec_relay/')
  })
})
