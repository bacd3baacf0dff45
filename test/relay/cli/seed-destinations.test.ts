import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkWanted, planImport } from '../../../relay/cli/destination-import.ts'
import { readEnvFile } from '../../../relay/cli/environment.ts'
import { emptyRecord, fingerprintOf, type ImportRecord } from '../../../relay/cli/import-record.ts'
import {
  destinationsFromEnv,
  standInDestinations,
  type WantedDestination,
} from '../../../relay/cli/seed-destinations.ts'
import { destinationView } from './support/fake-relay.ts'

/** The four examples of the seed guide in one file, as people paste them. */
const SEED_ENV = `
GRAFANA_PROMETHEUS_URL=https://prometheus-prod-XX-xxx.grafana.net/api/prom/push
GRAFANA_PROMETHEUS_USER=123456
GRAFANA_PROMETHEUS_PASSWORD=glc_eyJrIjoixxxxxxxx...
PROMETHEUS_PUSHGATEWAY_URL=http://localhost:9091
INFLUXDB_URL=http://localhost:8086
INFLUXDB_TOKEN="your_token_here"
INFLUXDB_ORG=myorg
INFLUXDB_BUCKET=onec_metrics
GRAFANA_LOKI_URL=http://localhost:3100
# Или для Grafana Cloud:
GRAFANA_LOKI_URL=https://logs-prod-xxx.grafana.net
GRAFANA_LOKI_USER=123456
GRAFANA_LOKI_PASSWORD=your_token_here
METRICS_INTERVAL=60
`

function readText(text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'onec-relay-env-'))
  try {
    writeFileSync(join(directory, '.env'), text)
    return readEnvFile(join(directory, '.env'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe('destinationsFromEnv', () => {
  it('reads the seed guide’s file', () => {
    const { destinations, warnings } = destinationsFromEnv(readText(SEED_ENV))
    expect(warnings).toEqual([])
    expect(destinations.map(({ name, sink, settings }) => ({ name, sink, settings }))).toEqual([
      {
        name: 'grafana-prometheus',
        sink: 'remote-write',
        settings: {
          url: 'https://prometheus-prod-XX-xxx.grafana.net/api/prom/push',
          user: '123456',
          password: 'glc_eyJrIjoixxxxxxxx...',
        },
      },
      { name: 'pushgateway', sink: 'pushgateway', settings: { url: 'http://localhost:9091' } },
      {
        name: 'influxdb',
        sink: 'influxdb',
        settings: { url: 'http://localhost:8086', token: 'your_token_here', org: 'myorg', bucket: 'onec_metrics' },
      },
      {
        name: 'loki',
        sink: 'loki',
        settings: { url: 'https://logs-prod-xxx.grafana.net', user: '123456', password: 'your_token_here' },
      },
    ])
    expect(() => checkWanted(destinations)).not.toThrow()
  })

  it('takes an empty value for an absent one', () => {
    expect(destinationsFromEnv(readText('GRAFANA_LOKI_URL=\nGRAFANA_LOKI_USER=\n'))).toEqual({
      destinations: [],
      warnings: [],
    })
  })

  it('warns of what has no effect', () => {
    const { warnings } = destinationsFromEnv({ GRAFANA_LOKI_USER: 'u', GRAFANA_LOKI_PASSWORD: 'hunter2' })
    expect(warnings).toEqual(['GRAFANA_LOKI_USER, GRAFANA_LOKI_PASSWORD has no effect without GRAFANA_LOKI_URL.'])
  })

  it('refuses half a credential and names what is missing, never a value', () => {
    const { destinations } = destinationsFromEnv({
      GRAFANA_LOKI_URL: 'https://l.example',
      GRAFANA_LOKI_PASSWORD: 'hunter2',
    })
    expect(() => checkWanted(destinations)).toThrow(/"loki" of GRAFANA_LOKI_URL is refused: user: /)
    expect(() => checkWanted(destinations)).not.toThrow(/hunter2/)
  })

  it('leaves a stand-in for each sink that nothing names, which its sink accepts', () => {
    const { destinations } = destinationsFromEnv({ PROMETHEUS_PUSHGATEWAY_URL: 'http://localhost:9091' })
    const at = (port: number) => `http://127.0.0.1:${port}`
    const urls = { 'remote-write': at(1), pushgateway: at(2), influxdb: at(3), loki: at(4) }
    const standIns = standInDestinations(destinations, urls)
    expect(standIns.map(({ name, settings }) => [name, settings.url])).toEqual([
      ['grafana-prometheus', at(1)],
      ['influxdb', at(3)],
      ['loki', at(4)],
    ])
    expect(() => checkWanted(standIns)).not.toThrow()
  })
})

describe('planImport', () => {
  const [want] = destinationsFromEnv({
    GRAFANA_LOKI_URL: 'https://l.example',
    GRAFANA_LOKI_USER: 'u',
    GRAFANA_LOKI_PASSWORD: 'p',
  }).destinations as [WantedDestination]
  const view = destinationView({
    id: 'd1',
    name: 'loki',
    sink: 'loki',
    version: 3,
    settings: { url: 'https://l.example', user: 'u', job: 'мой' },
    secrets: ['password'],
  })
  const empty = emptyRecord()
  const record: ImportRecord = {
    ...empty,
    destinations: { 'demo/d1': { fingerprint: fingerprintOf(want.settings, empty.salt), version: 3 } },
  }

  it('adds what is not there', () => {
    expect(planImport([want], [], record, 'demo')).toMatchObject([{ kind: 'add' }])
  })

  it('leaves alone what was imported like this and not touched since', () => {
    expect(planImport([want], [view], record, 'demo')).toMatchObject([{ kind: 'keep' }])
  })

  it.each([
    ['a secret changed', { ...want, settings: { ...want.settings, password: 'q' } }, view, record],
    ['somebody edited it since', want, { ...view, version: 4 }, record],
    ['nothing is known of the last import', want, view, empty],
  ])('edits when %s', (_, wanted, found, known) => {
    expect(planImport([wanted], [found], known, 'demo')).toMatchObject([
      { kind: 'edit', id: 'd1', edit: { settings: wanted.settings } },
    ])
  })

  it('takes away what the variables leave out, and nothing that they do not speak for', () => {
    const [standIn] = standInDestinations([], { loki: 'http://127.0.0.1:4' }) as [WantedDestination]
    expect(planImport([standIn], [view], record, 'demo')).toMatchObject([
      { kind: 'edit', edit: { settings: { url: 'http://127.0.0.1:4', user: null, password: null } } },
    ])
  })

  it('does not turn a destination into one of another sink', () => {
    expect(() => planImport([want], [{ ...view, sink: 'influxdb' }], record, 'demo')).toThrow(/is of sink influxdb/)
  })
})

it('a fingerprint depends on the salt and the values, not on the order of the keys', () => {
  const fingerprint = fingerprintOf({ a: 1, b: 2 }, '00')
  expect(fingerprintOf({ b: 2, a: 1 }, '00')).toBe(fingerprint)
  expect(fingerprintOf({ a: 1, b: 3 }, '00')).not.toBe(fingerprint)
  expect(fingerprintOf({ a: 1, b: 2 }, '01')).not.toBe(fingerprint)
})
