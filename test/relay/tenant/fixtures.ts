import { gzipSync } from 'node:zlib'
import type { Batch } from '../../../relay/sinks/sink.ts'
import type { DeadLetter } from '../../../relay/tenant/dead-letter.ts'
import { encodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { type HostMemory, newHost } from '../../../relay/tenant/host-memory.ts'
import type { BatchItem, RelayItem, ReplayItem } from '../../../relay/tenant/row.ts'
import type { DestinationRecord, HostRecord } from '../../../relay/tenant/store.ts'
import type { BackupReport, Snapshot, WireBatch } from '../../../shared/wire.ts'

/** 2026-11-23T04:38:25.854Z. */
export const NOW = 1_795_408_705_854
export const TENANT = { id: 'romashka', name: 'ООО Ромашка' }

/** A batch id made from a number. */
export const idOf = (number: number) => String(number).padStart(16, 'A')

export function snapshot(atMs: number, more: Partial<Snapshot> = {}): Snapshot {
  return { atMs, monoMs: 1, metrics: { onec_cpu_percent: 45.2 }, ...more }
}

export function wireBatch(more: Partial<WireBatch> = {}): WireBatch {
  return {
    v: 1,
    id: idOf(1),
    seq: 1,
    sentAtMs: NOW,
    agent: { version: '0.1.0', os: 'Windows Server 2022', hostname: 'SRV-1C', intervalMs: 60_000, bootId: 'boot-1' },
    snapshots: [snapshot(NOW - 1_000)],
    spool: { id: idOf(7), pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 },
    ...more,
  }
}

/** The item that the object makes of a batch. */
export function batchItem(more: Partial<BatchItem> = {}, batch: WireBatch = wireBatch()): BatchItem {
  const newest = Math.max(0, ...batch.snapshots.map(({ atMs }) => atMs))
  return {
    kind: 'batch',
    hostId: 'h1',
    id: batch.id,
    seq: batch.seq,
    receivedAtMs: NOW,
    dueAtMs: NOW + 60_000,
    sentAtMs: batch.sentAtMs,
    newestAtMs: newest === 0 ? null : newest,
    samples: batch.snapshots.reduce((sum, { metrics }) => sum + Object.keys(metrics).length, 0),
    agent: batch.agent,
    spool: batch.spool,
    backups: batch.backups ?? [],
    gzip: true,
    body: new Uint8Array(gzipSync(JSON.stringify(batch))),
    ...more,
  }
}

export function relayItem(atMs: number, hostId: string | null, metrics: Record<string, number>): RelayItem {
  const samples = Object.keys(metrics).length
  return { kind: 'relay', atMs, samples, says: [{ hostId, snapshot: { metrics, series: [] }, entries: [] }] }
}

/** A dead letter of a host on its way again. */
export function replayItem(hostId: string, times: readonly number[], more: Partial<ReplayItem> = {}): ReplayItem {
  const body = encodeLetter([agentBatch(hostId, times)])
  return { kind: 'replay', atMs: NOW, destinationId: 'd1', samples: times.length, body, ...more }
}

export function report(more: Partial<BackupReport> = {}): BackupReport {
  return {
    name: 'Зарплата 3.1',
    state: 'ok',
    source: 'run',
    reason: null,
    startedAtMs: NOW - 5_000,
    completedAtMs: NOW,
    sizeBytes: 1_000,
    durationMs: 5_000,
    dueAtMs: null,
    ...more,
  }
}

export function hostRecord(more: Partial<HostRecord> = {}): HostRecord {
  return {
    id: 'h1',
    name: 'БУХ-1С',
    hostname: 'SRV-1C',
    machineId: 'machine-1',
    os: 'Windows Server 2022',
    tokens: ['a'.repeat(64)],
    config: {},
    configRevision: 0,
    enrolledAtMs: NOW,
    removedAtMs: null,
    ...more,
  }
}

export function destinationRecord(more: Partial<DestinationRecord> = {}): DestinationRecord {
  const base = { id: 'd1', name: 'Облако', sink: 'loki', settings: {}, sealed: {}, budget: {}, version: 1 }
  return { ...base, createdAtMs: NOW, ...more }
}

/** A host that posted just now and posts again in a minute. */
export function seenHost(more: Partial<HostMemory> = {}): HostMemory {
  const { agent, spool } = wireBatch()
  return { ...newHost(NOW), state: 'up', lastSeenMs: NOW, dueAtMs: NOW + 60_000, agent, spool, clockSkewMs: 0, ...more }
}

/** As the first destination of a tenant refused it. */
export function deadLetter(more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    atMs: NOW,
    destination: 'Облако',
    destinationId: 'd1',
    host: 'БУХ-1С',
    hostId: 'h1',
    fromMs: NOW - 5,
    toMs: null,
    samples: 1,
    reason: 'HTTP 400: out of bounds',
    body: encodeLetter([agentBatch('h1', [NOW - 5])]),
    ...more,
  }
}

export function agentBatch(hostId: string, times: readonly number[], more: Partial<Batch> = {}): Batch {
  return {
    tenant: TENANT,
    host: { id: hostId, name: `БУХ-${hostId}`, labels: {} },
    source: 'agent',
    snapshots: times.map(atMs => snapshot(atMs)),
    entries: [],
    ...more,
  }
}
