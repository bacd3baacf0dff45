import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { destinationsFromEnv } from '../relay/cli/seed-destinations.ts'
import { SEED_METRICS } from '../shared/metrics.ts'
import { metricTable } from './support/metric-table.ts'

const ROOT = new URL('..', import.meta.url)
const README = readFileSync(new URL('README.md', ROOT), 'utf8')

describe('README', () => {
  it('has the metric catalogue as it is', () => {
    const [, table] = /<!-- metrics:.*-->\n([\s\S]*?)\n<!-- \/metrics -->/.exec(README) ?? []
    expect(table).toBe(metricTable())
  })

  it('says of each seed metric once where it comes from', () => {
    const [, section = ''] = /## Where each metric comes from\n([\s\S]*?)\n## /.exec(README) ?? []
    const rows = [...section.matchAll(/^\| (`onec_[^|]*) \|/gm)].map(([, cell = '']) => cell)
    const names = rows.flatMap(cell => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name))
    expect(names.toSorted()).toEqual(SEED_METRICS.toSorted())
  })

  it('names files that are there', () => {
    const [, tasks = ''] = /\| task \| file \|\n([\s\S]*?)\n\n/.exec(README) ?? []
    const files = [...tasks.matchAll(/`([\w./-]+\.\w+)`/g)].map(([, file = '']) => file).filter(file => file !== '.env')
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter(file => !existsSync(new URL(file, ROOT)))).toEqual([])
  })

  it('names scripts that are there', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = [...README.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script)
    expect([...new Set([...named, 'start', 'test'])].filter(script => !(script in scripts))).toEqual([])
  })

  it('shows a .env that names all four destinations', () => {
    const [, block = ''] = /```sh\n(GRAFANA_PROMETHEUS_URL[\s\S]*?)```/.exec(README) ?? []
    const variables = Object.fromEntries(
      block
        .trim()
        .split('\n')
        .map(line => line.split('=', 2)),
    )
    const { destinations, warnings } = destinationsFromEnv(variables)
    expect(destinations.map(({ sink }) => sink)).toEqual(['remote-write', 'pushgateway', 'influxdb', 'loki'])
    expect(warnings).toEqual([])
  })
})
