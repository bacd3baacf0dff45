import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checkRelayUrl,
  effectiveConfig,
  readConfig,
  readEnvironment,
  readToken,
  statePaths,
  writeEnrolment,
  writeRemoved,
} from '../../agent/config.ts'
import { UserError } from '../../agent/error.ts'

describe('readEnvironment', () => {
  it('takes the interval in seconds', () => {
    expect(readEnvironment({ METRICS_INTERVAL: '5', ONEC_AGENT_STATE: '/s' })).toEqual({
      stateDirectory: '/s',
      intervalMs: 5_000,
      programFiles: 'C:\\Program Files',
      ignored: [],
      warnings: [],
    })
    expect(readEnvironment({}).intervalMs).toBeUndefined()
  })

  it.each(['0', '-5', 'abc', '99999'])('ignores the interval %s with a warning', text => {
    const { intervalMs, warnings } = readEnvironment({ METRICS_INTERVAL: text })
    expect(intervalMs).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  it('names the sink variables and none of their values', () => {
    const { warnings } = readEnvironment({
      GRAFANA_PROMETHEUS_PASSWORD: 'glc_secret',
      INFLUXDB_TOKEN: 'influx_secret',
      GRAFANA_LOKI_URL: '',
    })
    expect(warnings).toHaveLength(2)
    expect(warnings.join()).toContain('GRAFANA_PROMETHEUS_PASSWORD')
    expect(warnings.join()).not.toContain('secret')
  })
})

describe('checkRelayUrl', () => {
  it.each([
    ['https://relay.example/', 'https://relay.example'],
    ['https://relay.example/base/', 'https://relay.example/base'],
    ['http://127.0.0.1:8787', 'http://127.0.0.1:8787'],
    ['http://localhost:8787', 'http://localhost:8787'],
    ['http://[::1]:8787', 'http://[::1]:8787'],
  ])('takes %s', (text, expected) => expect(checkRelayUrl(text, false)).toBe(expected))

  it.each([
    'http://relay.example',
    'http://127.0.0.1.evil.example',
    'ftp://x',
    'relay',
    'https://u:p@relay.example',
    'https://r.example/?t=1',
  ])('refuses %s', text => expect(() => checkRelayUrl(text, false)).toThrow(UserError))

  it('takes plain http when it is allowed', () => {
    expect(checkRelayUrl('http://10.0.0.5:8787', true)).toBe('http://10.0.0.5:8787')
  })
})

describe('effectiveConfig', () => {
  it('is the relay’s, then the local file’s, then METRICS_INTERVAL, then a minute', () => {
    expect(effectiveConfig({ intervalMs: 10_000 }, { intervalMs: 20_000 }, 30_000).intervalMs).toBe(10_000)
    expect(effectiveConfig({}, { intervalMs: 20_000 }, 30_000).intervalMs).toBe(20_000)
    expect(effectiveConfig(undefined, undefined, 30_000).intervalMs).toBe(30_000)
    expect(effectiveConfig(undefined, { volumes: ['/'] }, undefined)).toEqual({ intervalMs: 60_000, volumes: ['/'] })
  })
})

describe('the state directory', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'onec-config-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const config = { hostId: 'h1', routes: ['https://relay.example'], machineId: 'm'.repeat(32) }

  it('keeps the token for its owner only', () => {
    const paths = statePaths(path.join(directory, 'new'))
    writeEnrolment(paths, config, { revision: 1, config: {} }, 'ohr1.secret')
    expect(readToken(paths)).toBe('ohr1.secret')
    expect(readConfig(paths)).toEqual(config)
    expect(statSync(paths.token).mode & 0o777).toBe(0o600)
  })

  it('does not run when it is not enrolled, was removed, or has a damaged file', () => {
    const paths = statePaths(directory)
    expect(() => readToken(paths)).toThrow('not enrolled')
    writeEnrolment(paths, config, { revision: 1, config: {} }, 'ohr1.secret')
    writeRemoved(paths, 1, 'host_removed: gone')
    expect(() => readToken(paths)).toThrow('removed at the relay')
    writeEnrolment(paths, config, { revision: 1, config: {} }, 'ohr1.other')
    expect(readToken(paths)).toBe('ohr1.other')
    writeFileSync(paths.config, '{"hostId": 5}')
    expect(() => readConfig(paths)).toThrow(UserError)
  })
})
