import type { Entry } from '../../shared/wire.ts'
import type { Batch, Tenant } from '../sinks/sink.ts'
import { backupSeries } from './backups.ts'
import type { Counters } from './counters.ts'
import { RELAY_JOB } from './decode.ts'
import type { LeftOut } from './destination-memory.ts'
import type { HostMemory } from './host-memory.ts'
import type { RelayItem } from './row.ts'
import type { DestinationView, HostState } from './rpc.ts'

/** Samples of one item at most, 100 to 350 bytes each: an item is a row of the outbox, and a row is at most 1 MB. */
const MAX_ITEM_SAMPLES = 2_500

/** What the relay says at a tick of one destination of the tenant. */
export interface DeliveryFacts {
  readonly destination: string
  readonly lagMs: number
  readonly backlogBatches: number
  readonly dropped: DestinationView['dropped']
  readonly unconfirmedBatches: number
  readonly partialRequests: number
  readonly deadLetters: number
  readonly deadLettersDropped: number
  /** Per host id. */
  readonly leftOut: ReadonlyMap<string, LeftOut>
}

type Saying = RelayItem['says'][number]

export interface HealthChange {
  readonly hostId: string
  readonly name: string
  readonly from: HostState
  readonly to: HostState
  readonly lastSeenMs: number | null
}

/**
 * The relay's own samples and log entries of this moment: health and backups of every host (also of one that is down,
 * so that an alert has a sample to fire on), and itself, its deliveries before all, with entries of its `own`; several
 * items when it is much.
 */
export function tickItems(
  now: number,
  hosts: ReadonlyMap<string, HostMemory>,
  deliveries: readonly DeliveryFacts[],
  changes: readonly HealthChange[],
  counters: Readonly<Counters>,
  own: readonly Entry[] = [],
): RelayItem[] {
  const says: Saying[] = []
  for (const [hostId, host] of hosts) {
    const entries = changes.filter(change => change.hostId === hostId).map(change => changeEntry(change, now))
    const snapshot = saidOf(hostId, host, deliveries)
    if (Object.keys(snapshot.metrics).length + snapshot.series.length + entries.length > 0)
      says.push({ hostId, snapshot, entries })
  }
  const { metrics, series } = countedSeries(counters)
  const snapshot = { metrics, series: [...deliveries.flatMap(deliverySeries), ...series] }
  says.push({ hostId: null, snapshot, entries: own })
  return itemsOf(now, says)
}

/** What the relay says of a host: its health, its backups, and what destinations did not get of it. */
export function saidOf(hostId: string, host: HostMemory, deliveries: readonly DeliveryFacts[]): Saying['snapshot'] {
  const series = [...backupSeries(host.backups), ...deliveries.flatMap(facts => leftOutSeries(facts, hostId))]
  return { metrics: hostMetrics(host), series }
}

function itemsOf(now: number, says: readonly Saying[]): RelayItem[] {
  const groups: { says: Saying[]; samples: number }[] = []
  for (const saying of says) {
    const samples = Object.keys(saying.snapshot.metrics).length + saying.snapshot.series.length
    const last = groups.at(-1)
    if (!last || last.samples + samples > MAX_ITEM_SAMPLES) groups.push({ says: [saying], samples })
    else {
      last.says.push(saying)
      last.samples += samples
    }
  }
  return groups.map(group => ({ kind: 'relay', atMs: now, ...group }))
}

function hostMetrics(host: HostMemory): Record<string, number> {
  // Before the first post nothing is known; a disabled host is nobody's alert.
  if (host.state === 'pending' || host.state === 'disabled') return {}
  return {
    onec_host_up: host.state === 'down' ? 0 : 1,
    ...(host.lastSeenMs !== null && { onec_host_last_seen_timestamp_seconds: host.lastSeenMs / 1000 }),
    ...(host.clockSkewMs !== null && { onec_host_clock_skew_seconds: host.clockSkewMs / 1000 }),
    ...(host.clockSkewMs !== null && { onec_host_clock_offset_seconds: host.clock.offsetMs / 1000 }),
    ...(host.spool && {
      onec_host_spool_pending_batches: host.spool.pendingBatches,
      onec_host_dropped_snapshots_total: host.spool.droppedSnapshots,
    }),
  }
}

/** What a destination did not get of a host; nothing while it got everything. */
function leftOutSeries({ destination, leftOut }: DeliveryFacts, hostId: string) {
  return Object.entries(leftOut.get(hostId) ?? {}).map(([reason, value]) => ({
    name: 'onec_host_left_out_samples_total',
    labels: { destination, reason },
    value,
  }))
}

/** What the object counted of itself. */
function countedSeries(counters: Readonly<Counters>): Saying['snapshot'] {
  return {
    metrics: {
      onec_ingest_batches_total: counters.acceptedBatches,
      onec_storage_rows_written_total: counters.rowsWritten,
      onec_events_dropped_total: counters.droppedEvents,
      onec_backups_dropped_total: counters.droppedBackups,
    },
    series: Object.entries(counters.refusedBatches).map(([reason, value]) => ({
      name: 'onec_ingest_refused_batches_total',
      labels: { reason },
      value,
    })),
  }
}

export function deliverySeries(facts: DeliveryFacts) {
  const labels = { destination: facts.destination }
  return [
    { name: 'onec_delivery_lag_seconds', labels, value: facts.lagMs / 1000 },
    { name: 'onec_delivery_backlog_batches', labels, value: facts.backlogBatches },
    ...Object.entries(facts.dropped).map(([reason, value]) => ({
      name: 'onec_delivery_dropped_samples_total',
      labels: { ...labels, reason },
      value,
    })),
    { name: 'onec_delivery_unconfirmed_total', labels, value: facts.unconfirmedBatches },
    { name: 'onec_delivery_partial_total', labels, value: facts.partialRequests },
    { name: 'onec_dead_letters_total', labels, value: facts.deadLetters },
    { name: 'onec_dead_letters_dropped_total', labels, value: facts.deadLettersDropped },
  ]
}

function changeEntry(change: HealthChange, now: number): Entry {
  return {
    atMs: now,
    level: change.to === 'down' ? 'error' : change.to === 'late' ? 'warn' : 'info',
    message: changeMessage(change),
    fields: { from: change.from, to: change.to },
  }
}

export function changeMessage(change: HealthChange): string {
  const seen = change.lastSeenMs === null ? 'never' : new Date(change.lastSeenMs).toISOString()
  return `Host ${change.name} is ${change.to} (was ${change.from}, last seen ${seen})`
}

/**
 * What a destination's `test` sends: real samples and an entry of the relay's own, as a host of its own, so that they
 * can never be newer than a tick still on its way.
 */
export function testBatch(tenant: Tenant, facts: DeliveryFacts, now: number): Batch {
  return {
    tenant,
    host: { id: 'relay-test', name: 'onec-relay test', labels: {} },
    source: 'relay',
    job: RELAY_JOB,
    snapshots: [{ atMs: now, monoMs: 0, metrics: {}, series: deliverySeries(facts) }],
    entries: [{ atMs: now, level: 'info', message: `Test of destination ${facts.destination}` }],
  }
}
