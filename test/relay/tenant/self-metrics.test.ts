import { expect, test } from 'vitest'
import { newCounters } from '../../../relay/tenant/counters.ts'
import { selfMetrics } from '../../../relay/tenant/self-metrics.ts'
import { tickItems } from '../../../relay/tenant/tick.ts'
import { metricOf } from '../../../shared/metrics.ts'
import { NOW, seenHost, TENANT } from './fixtures.ts'

const FACTS = {
  destination: 'Облако',
  lagMs: 2_500,
  backlogBatches: 3,
  dropped: { budget: 4, age: 0, order: 0 },
  unconfirmedBatches: 5,
  partialRequests: 0,
  leftOut: new Map(),
  deadLetters: 6,
  deadLettersDropped: 0,
}
const NAMES = { tenant: TENANT, host: (id: string) => ({ id, name: `БУХ-${id}`, labels: { site: 'Тверь' } }) }
const COUNTS = { total: 1, byState: { pending: 0, up: 1, late: 0, down: 0, disabled: 0 } }

const series = selfMetrics(
  tickItems(NOW, new Map([['h1', seenHost()]]), [FACTS], [], { ...newCounters(), acceptedBatches: 7 }),
  COUNTS,
  NAMES,
)
const found = (name: string) => series.filter(one => one.name === name)

test('a host has its identity and static labels', () => {
  const labels = [
    ['instance', 'БУХ-h1'],
    ['job', 'onec_backup_bot'],
    ['site', 'Тверь'],
    ['tenant', 'ООО Ромашка'],
  ]
  expect(found('onec_host_up')).toEqual([{ name: 'onec_host_up', labels, value: 1 }])
})

test('a destination and the object are the relay’s own', () => {
  const own = [
    ['instance', 'onec-relay'],
    ['job', 'onec_relay'],
    ['tenant', 'ООО Ромашка'],
  ]
  const lag = { labels: [['destination', 'Облако'], ...own], value: 2.5 }
  expect(found('onec_delivery_lag_seconds')).toMatchObject([lag])
  expect(found('onec_ingest_batches_total')).toMatchObject([{ labels: own, value: 7 }])
})

test('hosts are counted by state, and every name is in the catalogue', () => {
  expect(found('onec_tenant_hosts').map(({ labels, value }) => [Object.fromEntries(labels).state, value])).toEqual(
    Object.entries(COUNTS.byState),
  )
  for (const { name } of series) expect(metricOf(name)?.origin, name).toBe('relay')
})
