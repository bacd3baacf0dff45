import { describe, expect, it } from 'vitest'
import { agentVariables, isCurrent } from '../../../../relay/cli/start/host-agent.ts'

describe('agentVariables', () => {
  it('gives the agent its interval and none of the sinks’ variables', () => {
    const variables = {
      PATH: '/bin',
      GRAFANA_LOKI_PASSWORD: 'x',
      INFLUXDB_TOKEN: 'y',
      PROMETHEUS_PUSHGATEWAY_URL: 'z',
      METRICS_INTERVAL: '60',
    }
    expect(agentVariables(variables, 5)).toEqual({ PATH: '/bin', METRICS_INTERVAL: '5' })
  })
})

describe('isCurrent', () => {
  const enrolled = { hostId: 'h1', routes: ['http://127.0.0.1:8787'] }

  it.each([
    ['the same relay and host', ['h1', 'h2'], ['http://127.0.0.1:8787'], true],
    ['another port', ['h1'], ['http://127.0.0.1:8788'], false],
    ['a relay that lost its state', [], ['http://127.0.0.1:8787'], false],
  ])('%s', (_, hosts, routes, expected) => {
    expect(isCurrent(enrolled, hosts, routes)).toBe(expected)
  })
})
