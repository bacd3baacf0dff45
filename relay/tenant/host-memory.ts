import type { WireBatch } from '../../shared/wire.ts'
import { applyReport, type BackupMemory } from './backups.ts'
import { afterOrigin, type Origins } from './clones.ts'
import { afterPost, type HostClock, NEW_CLOCK, type PostTimes } from './host-clock.ts'
import type { BatchItem } from './row.ts'
import type { HostState, IngestHeader } from './rpc.ts'

/** Batches whose ids are remembered per host: with one post in flight, a re-send repeats one of the last few. */
export const REMEMBERED_IDS = 16

/** Backups per host that are kept; a further name pushes out the one heard of longest ago. */
export const MAX_BACKUPS = 50

/** A machine that goes back again and again is said once in this time. */
const REVERTED_EVERY_MS = 3_600_000

/** What changes with every batch of a host. Lives in memory and in the checkpoint. */
export interface HostMemory extends Origins {
  readonly state: HostState
  readonly stateSinceMs: number
  readonly lastSeenMs: number | null
  /** When the next post was granted: what deadlines count from. */
  readonly dueAtMs: number | null
  /** How long a post is on its way after the moment that was granted: what the next grant is earlier by. */
  readonly wayMs: number
  /** Ids of the last batches, oldest first. */
  readonly ids: readonly string[]
  readonly clockSkewMs: number | null
  readonly clock: HostClock
  /** Highest batch number of new data under the spool's id; a reverted machine counts on from an older one. */
  readonly seq: number | null
  /** When it was last seen to count again from an old number. */
  readonly revertedAtMs: number | null
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
    wayMs: 0,
    ids: [],
    clockSkewMs: null,
    clock: NEW_CLOCK,
    seq: null,
    revertedAtMs: null,
    origins: [],
    clones: [],
    agent: null,
    spool: null,
    backups: new Map(),
  }
}

/** The host after an accepted batch; its health is not decided here. */
export function remember(host: HostMemory, batch: BatchItem): HostMemory {
  const { origins, clones } = afterOrigin(host, batch)
  return {
    ...host,
    lastSeenMs: batch.receivedAtMs,
    dueAtMs: batch.dueAtMs,
    wayMs: wayAfter(host, batch.receivedAtMs),
    ids: [...host.ids, batch.id].slice(-REMEMBERED_IDS),
    clockSkewMs: batch.sentAtMs - batch.receivedAtMs,
    clock: afterPost(host.clock, postTimes(host, batch, batch.receivedAtMs), batch.offsetMs ?? 0),
    ...afterSeq(host, batch),
    origins,
    clones,
    agent: batch.agent,
    spool: batch.spool,
    backups: batch.backups.length === 0 ? host.backups : applyReports(host.backups, batch),
  }
}

/** What a post says of the host's clock. */
export function postTimes(
  host: HostMemory,
  batch: Pick<IngestHeader, 'seq' | 'sentAtMs' | 'oldestAtMs' | 'newestAtMs' | 'agent' | 'spool'>,
  receivedAtMs: number,
): PostTimes {
  return {
    receivedAtMs,
    sentAtMs: batch.sentAtMs,
    oldestAtMs: batch.oldestAtMs ?? batch.newestAtMs,
    newestAtMs: batch.newestAtMs,
    intervalMs: batch.agent.intervalMs,
    isNew: batch.spool.id !== host.spool?.id || batch.seq > (host.seq ?? -1),
  }
}

/** The host as the machine that was just enrolled: who was kept out is known no more. */
export function enrolledAgain(host: HostMemory): HostMemory {
  return host.clones.length === 0 ? host : { ...host, origins: [], clones: [] }
}

/**
 * A spool that counts again from a number older than any re-send has is that of a machine that was reverted, if what it
 * carries is new: what was put aside long ago comes with its old number too.
 */
function afterSeq(host: HostMemory, batch: BatchItem): Pick<HostMemory, 'seq' | 'revertedAtMs'> {
  const { seq, revertedAtMs } = host
  const unchanged = { seq, revertedAtMs }
  if (seq === null || batch.spool.id !== host.spool?.id || batch.seq > seq) return { seq: batch.seq, revertedAtMs }
  if (seq - batch.seq <= REMEMBERED_IDS || batch.newestAtMs === null) return unchanged
  if (batch.sentAtMs - batch.newestAtMs > 2 * batch.agent.intervalMs) return unchanged
  const isSaid = revertedAtMs !== null && batch.receivedAtMs - revertedAtMs < REVERTED_EVERY_MS
  return { seq: batch.seq, revertedAtMs: isSaid ? revertedAtMs : batch.receivedAtMs }
}

/** Beyond, a post was not slow but waited for something: an outage, a clock that jumped. */
const MAX_WAY_MS = 1_000

/**
 * The host's way after a post that arrived at `now`: moved by half of what it was late or early, so that one that was
 * held up does not count for much. The next grant must know it already, or the way overshoots.
 */
export function wayAfter({ wayMs, dueAtMs }: HostMemory, now: number): number {
  if (dueAtMs === null || Math.abs(now - dueAtMs) > MAX_WAY_MS) return wayMs
  return Math.min(Math.max(Math.round(wayMs + (now - dueAtMs) / 2), 0), MAX_WAY_MS)
}

function applyReports(before: ReadonlyMap<string, BackupMemory>, batch: BatchItem): ReadonlyMap<string, BackupMemory> {
  const backups = new Map(before)
  for (const report of batch.backups) {
    const memory = applyReport(backups.get(report.name), report, batch)
    backups.delete(report.name)
    backups.set(report.name, memory)
  }
  for (const name of backups.keys()) {
    if (backups.size <= MAX_BACKUPS) break
    backups.delete(name)
  }
  return backups
}
