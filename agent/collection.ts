import type { BackupNews, Ledger } from './backup/ledger.ts'
import { type Clock, createPause } from './clock.ts'
import type { Sample, Sampler } from './collect/sampler.ts'
import { describeError } from './error.ts'
import { createTrouble, type Log } from './log.ts'
import type { LogFollower } from './logs/follower.ts'
import { nextCollectAt, nextSnapshotTime } from './phase.ts'
import type { Settings } from './settings.ts'
import { buildSnapshot } from './snapshot.ts'
import type { Spool } from './spool/spool.ts'

/** Between the first reading, which only primes what is counted from one snapshot to the next, and the first snapshot. */
const PRIME_MS = 1_000

export interface CollectionOptions {
  readonly sampler: Sampler
  readonly ledger: Ledger
  readonly logs: LogFollower
  readonly spool: Spool
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Log
  /** Something new is in the spool. */
  readonly onSpooled: () => void
  readonly onTick: () => void
}

/** The loop that fills the spool. */
export interface Collection {
  /** Ends when `halt` is aborted, after the snapshot in hand. */
  run(halt: AbortSignal): Promise<void>
  /** The relay granted its next post for this monotonic time; undefined: the interval changed, count anew. */
  align(postAtMs: number | undefined): void
  readonly state: {
    readonly lastSnapshotAtMs: number | null
    readonly unread: Sample['problems']
  }
}

export function createCollection(options: CollectionOptions): Collection {
  const { sampler, ledger, logs, spool, settings, clock, log } = options
  const pause = createPause(clock)
  const clockTrouble = createTrouble(log)
  const diskTrouble = createTrouble(log)
  const familyTrouble = createTrouble(log)
  const backupTrouble = createTrouble(log)
  let lastAtMs: number | undefined
  let unread: Sample['problems'] = []
  let postAtMs: number | undefined

  function readNews(nowMs: number): BackupNews | undefined {
    try {
      return ledger.news(nowMs, settings.current())
    } catch (error) {
      backupTrouble.raise('error', `Backup reports cannot be read (${describeError(error)}); they wait`)
      return undefined
    }
  }

  function commit(news: BackupNews): void {
    try {
      ledger.commit(news)
    } catch (error) {
      backupTrouble.raise('error', `Backup reports cannot be filed (${describeError(error)}); they are sent once more`)
    }
  }

  async function read(atMs: number) {
    const monoMs = clock.monoMs()
    const sample = await sampler.sample()
    unread = sample.problems
    if (unread.length > 0) familyTrouble.raise('warn', `Not read: ${unread.map(problemText).join(', ')}`)
    else familyTrouble.clear('Every family of metrics is read again')
    const snapshot = buildSnapshot(sample, atMs, monoMs)
    if (snapshot) clockTrouble.clear('The clock is set')
    else clockTrouble.raise('error', 'No snapshot: the clock of this machine says it is before 2020. Set it.')
    return snapshot
  }

  async function collect(): Promise<void> {
    const atMs = nextSnapshotTime(clock.nowMs(), lastAtMs)
    const [snapshot, lines] = await Promise.all([read(atMs), logs.read(atMs)])
    lastAtMs = atMs
    const news = readNews(atMs)
    if (!snapshot && !news) return
    const parcels = logs.pack({ atMs, ...(snapshot && { snapshot }), ...news }, lines)
    const refusedAt = parcels.findIndex(({ item }) => !spool.append(item, clock.nowMs()))
    const stored = refusedAt < 0 ? parcels : parcels.slice(0, refusedAt)
    // The first one carries the snapshot and the news.
    if (news && stored.length > 0) commit(news)
    logs.commit(stored)
    if (stored.length > 0) options.onSpooled()
    if (refusedAt < 0) return diskTrouble.clear('The spool is written again')
    const lost = refusedAt === 0 ? 'new snapshots are lost, what it holds is safe' : 'log lines wait in their files'
    diskTrouble.raise('error', `The spool cannot be written (${spool.problem}): ${lost}. Make room on its disk.`)
  }

  /** A grant or a new interval moves the tick while it is waited for. */
  async function waitForTick(lastMs: number, halt: AbortSignal): Promise<void> {
    while (!halt.aborted) {
      const nowMs = clock.monoMs()
      const atMs = nextCollectAt({ lastMs, intervalMs: settings.current().intervalMs, postAtMs, nowMs })
      await pause.wait(atMs - nowMs)
      if (clock.monoMs() >= atMs) return
    }
  }

  return {
    async run(halt) {
      const wake = () => pause.wake()
      halt.addEventListener('abort', wake)
      await sampler.sample()
      await clock.sleep(Math.min(PRIME_MS, settings.current().intervalMs / 2), halt)
      while (!halt.aborted) {
        const lastMs = clock.monoMs()
        await collect()
        options.onTick()
        await waitForTick(lastMs, halt)
      }
      halt.removeEventListener('abort', wake)
    },
    align(at) {
      postAtMs = at
      pause.wake()
    },
    state: {
      get lastSnapshotAtMs() {
        return lastAtMs ?? null
      },
      get unread() {
        return unread
      },
    },
  }
}

const problemText = ({ family, reason }: Sample['problems'][number]): string => `${family} (${reason})`
