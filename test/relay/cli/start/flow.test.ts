import { describe, expect, it } from 'vitest'
import { type FlowSnapshot, flowLines } from '../../../../relay/cli/start/flow.ts'
import { watchFlow } from '../../../../relay/cli/start/flow-watch.ts'
import { UserError } from '../../../../relay/cli/user-error.ts'
import type { HostView } from '../../../../relay/tenant/rpc.ts'
import { destinationView } from '../support/fake-relay.ts'

const NOW = 1_795_408_700_000

const host = (state: HostView['state']): HostView => ({
  id: 'h1',
  name: 'БУХ-1С',
  hostname: 'SRV-1C',
  state,
  stateSinceMs: NOW,
  enrolledAtMs: NOW,
  lastSeenMs: null,
  dueAtMs: null,
  clockSkewMs: null,
  clockOffsetMs: null,
  clones: [],
  agent: null,
  spool: null,
  configRevision: 1,
})

const flow = (state: HostView['state'], ...destinations: Parameters<typeof destinationView>[0][]): FlowSnapshot => ({
  hosts: [host(state)],
  destinations: destinations.map(destinationView),
})

describe('flowLines', () => {
  it('names the states at the first look', () => {
    const after = flow('pending', { id: 'd1', name: 'loki' })
    expect(flowLines(undefined, after, NOW)).toEqual(['host БУХ-1С: pending', 'loki: active'])
  })

  it('then says what each destination took', () => {
    const before = flow('up', { id: 'd1', name: 'influxdb', deliveredSamples: 41 }, { id: 'd2', name: 'loki' })
    const after = flow(
      'up',
      { id: 'd1', name: 'influxdb', deliveredSamples: 1_271 },
      { id: 'd2', name: 'loki', oldestAtMs: NOW - 2_000 },
    )
    expect(flowLines(before, after, NOW)).toEqual(['1/1 hosts up | influxdb +1,230 | loki +0 (lag 2 s)'])
  })

  it('tells every change, with its reason on one line', () => {
    const before = flow('up', { id: 'd1', name: 'loki', deadLetters: 1 })
    const after = flow('late', {
      id: 'd1',
      name: 'loki',
      state: 'backing-off',
      reason: 'connection\nrefused',
      nextAttemptAtMs: NOW + 8_000,
      backlogBatches: 12,
      droppedSamples: 5,
      deadLetters: 3,
    })
    expect(flowLines(before, after, NOW)).toEqual([
      'host БУХ-1С: up → late',
      'loki: active → backing-off: connection refused; next attempt in 8 s',
      'loki: 5 samples dropped',
      'loki: 2 dead letters',
      '0/1 hosts up | loki +0 (backing-off, 12 waiting)',
    ])
  })

  it('a counter that began anew is not negative', () => {
    const before = flow('up', { id: 'd1', name: 'loki', deliveredSamples: 100 })
    expect(flowLines(before, flow('up', { id: 'd1', name: 'loki' }), NOW)).toEqual(['1/1 hosts up | loki +0'])
  })
})

describe('watchFlow', () => {
  it('says once that the relay does not answer, and goes on when it does', async () => {
    const ending = new AbortController()
    const answers = [true, false, false, true]
    const said: string[] = []
    await watchFlow({
      client: {
        hosts: async () => {
          if (answers.shift()) return { hosts: [] }
          throw new UserError('The relay cannot be reached.')
        },
        destinations: async () => ({ destinations: [] }),
      },
      tenantId: 'demo',
      everyMs: 5_000,
      signal: ending.signal,
      now: () => NOW,
      wait: async () => {
        if (answers.length === 0) ending.abort()
      },
      say: line => void said.push(line),
    })
    expect(said).toEqual(['The relay cannot be reached.', `${new Date(NOW).toISOString()} 0/0 hosts up`])
  })
})
