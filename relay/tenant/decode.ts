import { gunzipSync } from 'node:zlib'
import { LIMITS, type WireBatch } from '../../shared/wire.ts'
import type { Batch, Host, Tenant } from '../sinks/sink.ts'
import { decodeLetter } from './dead-letter-body.ts'
import { correctedTimes } from './host-clock.ts'
import type { BatchItem, Item, RelayItem, RemovalItem, ReplayItem } from './row.ts'

/** Who is who, at the moment of encoding. */
export interface Names {
  readonly tenant: Tenant
  host(id: string): Host
}

/** What the relay says of itself has this host and job. */
export const RELAY_HOST: Host = { id: 'relay', name: 'onec-relay', labels: {} }
export const RELAY_JOB = 'onec_relay'

/** The items of a row as what sinks encode, in their order; replays, which are not for all, left out. */
export function batchesOf(items: readonly Item[], names: Names): Batch[] {
  return items.flatMap(item => {
    if (item.kind === 'replay') return []
    return item.kind === 'relay' ? relayBatches(item, names) : [hostBatch(item, names)]
  })
}

/** What a row has for this destination alone. */
export function replaysOf(items: readonly Item[], names: Names, destinationId: string): Batch[] {
  const mine = items.filter(item => item.kind === 'replay').filter(item => item.destinationId === destinationId)
  return mine.flatMap(item => replayedBatches(item, names))
}

/** A host has the name and labels of today: they may be what was mended. */
function replayedBatches({ body }: ReplayItem, names: Names): Batch[] {
  return decodeLetter(body).map(batch => ({
    ...batch,
    tenant: names.tenant,
    host: batch.job === RELAY_JOB ? batch.host : names.host(batch.host.id),
    replayed: true,
  }))
}

function hostBatch(item: BatchItem | RemovalItem, names: Names): Batch {
  const { tenant } = names
  const host = names.host(item.hostId)
  if (item.kind === 'removal') {
    const { atMs, series = [] } = item
    const gone = { tenant, host, source: 'relay', snapshots: [], entries: [], removed: true } as const
    return series.length === 0 ? gone : { ...gone, ended: { atMs, series } }
  }
  const { snapshots, entries } = openBody(item)
  return {
    tenant,
    host,
    source: 'agent',
    snapshots: corrected(snapshots, item),
    entries: corrected(entries ?? [], item),
  }
}

function relayBatches(item: RelayItem, names: Names): Batch[] {
  return item.says.map(({ hostId, snapshot, entries }) => ({
    tenant: names.tenant,
    source: 'relay',
    ...(hostId === null ? { host: RELAY_HOST, job: RELAY_JOB } : { host: names.host(hostId) }),
    snapshots: [{ atMs: item.atMs, monoMs: 0, ...snapshot }],
    entries,
  }))
}

/** By the relay's clock: a store must never see a host's wrong one. What a reading says of the time stays as it was. */
function corrected<T extends { readonly atMs: number }>(timed: readonly T[], item: BatchItem): readonly T[] {
  const times = correctedTimes(
    timed.map(({ atMs }) => atMs),
    item,
  )
  const isRight = times.every((atMs, index) => atMs === timed[index]?.atMs)
  return isRight ? timed : timed.map((one, index) => ({ ...one, atMs: times[index] ?? one.atMs }))
}

/** The body was checked against the schema before it was stored; it is only opened here. */
function openBody(item: BatchItem): WireBatch {
  const bytes = item.gzip ? gunzipSync(item.body, { maxOutputLength: LIMITS.inflatedBytes }) : item.body
  return JSON.parse(new TextDecoder().decode(bytes)) as WireBatch
}
