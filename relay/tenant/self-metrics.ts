import { mergeLabels, sortLabels } from '../sinks/labels.ts'
import { DEFAULT_JOB } from '../sinks/settings.ts'
import { batchesOf, type Names, RELAY_HOST, RELAY_JOB } from './decode.ts'
import type { RelayItem } from './row.ts'
import type { HostCounts, MetricSeries } from './rpc.ts'

/** What the relay says at this moment of a tenant's hosts and of itself, with the labels that the sinks give to it. */
export function selfMetrics(says: readonly RelayItem[], hosts: HostCounts, names: Names): MetricSeries[] {
  const said = batchesOf(says, names).flatMap(batch => {
    const identity = { instance: batch.host.name, job: batch.job ?? DEFAULT_JOB, tenant: names.tenant.name }
    const series = batch.snapshots.flatMap(({ metrics, series }) => [
      ...Object.entries(metrics).map(([name, value]) => ({ name, labels: {}, value })),
      ...(series ?? []),
    ])
    return series.map(({ name, labels, value }) => ({
      name,
      labels: sortLabels(mergeLabels(batch, identity, labels)),
      value,
    }))
  })
  return [...said, ...hostCountSeries(hosts, names)]
}

function hostCountSeries({ byState }: HostCounts, { tenant }: Names): MetricSeries[] {
  const identity = { instance: RELAY_HOST.name, job: RELAY_JOB, tenant: tenant.name }
  return Object.entries(byState).map(([state, value]) => ({
    name: 'onec_tenant_hosts',
    labels: sortLabels({ ...identity, state }),
    value,
  }))
}
