import type { BackupReport, WireBatch } from '../../shared/wire.ts'
import { applyReport, type BackupMemory } from './backups.ts'
import type { BatchItem } from './row.ts'
import type { HostState } from './rpc.ts'

/** Batches whose ids are remembered per host: with one post in flight, a re-send repeats one of the last few. */
export const REMEMBERED_IDS = 16

/** Backups per host that are kept; a further name pushes out the one heard of longest ago. */
export const MAX_BACKUPS = 50

/** What changes with every batch of a host. Lives in memory and in the checkpoint. */
export interface HostMemory {
  readonly state: HostState
  readonly stateSinceMs: number
  readonly lastSeenMs: number | null
  /** When the next post was granted: what deadlines count from. */
  readonly dueAtMs: number | null
  /** Ids of the last batches, oldest first. */
  readonly ids: readonly string[]
  readonly clockSkewMs: number | null
  readonly agent: WireBatch['agent'] | null
  readonly spool: WireBatch['spool'] | null
  readonly backups: ReadonlyMap<string, BackupMemory>
}

export function newHost(now: number): HostMemory {
  return {
    state: 'pending',
    stateSinceMs: now,
    lastSeenMs: null,
    dueAtMs: null,
    ids: [],
    clockSkewMs: null,
    agent: null,
    spool: null,
    backups: new Map(),
  }
}

/** The host after an accepted batch; its health is not decided here. */
export function remember(host: HostMemory, batch: BatchItem): HostMemory {
  return {
    ...host,
    lastSeenMs: batch.receivedAtMs,
    dueAtMs: batch.dueAtMs,
    ids: [...host.ids, batch.id].slice(-REMEMBERED_IDS),
    clockSkewMs: batch.sentAtMs - batch.receivedAtMs,
    agent: batch.agent,
    spool: batch.spool,
    backups: batch.backups.length === 0 ? host.backups : applyReports(host.backups, batch.backups),
  }
}

function applyReports(
  before: ReadonlyMap<string, BackupMemory>,
  reports: readonly BackupReport[],
): ReadonlyMap<string, BackupMemory> {
  const backups = new Map(before)
  for (const report of reports) {
    const memory = applyReport(backups.get(report.name), report)
    backups.delete(report.name)
    backups.set(report.name, memory)
  }
  for (const name of backups.keys()) {
    if (backups.size <= MAX_BACKUPS) break
    backups.delete(name)
  }
  return backups
}
