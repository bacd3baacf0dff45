import type { BackupConfig, HostConfig } from '../../shared/host-config.ts'
import type { BackupReport } from '../../shared/wire.ts'
import { type Clock, createPause } from '../clock.ts'
import { describeError } from '../error.ts'
import { createTrouble, type Log } from '../log.ts'
import { directoryLook } from './directory.ts'
import { type Finding, reportFor, toldKey } from './finding.ts'
import { writeReport } from './inbox.ts'
import type { IntegrityQueue } from './integrity-queue.ts'
import type { Lane } from './lane.ts'
import { inboxOf, type Ledger, type Recollection } from './ledger.ts'
import { openMemories, type WatchMemory } from './memory.ts'
import { DEFAULT_SERVER, sqlLook } from './mssql.ts'
import type { Shares } from './shares.ts'
import type { SqlAnswer } from './sql-history.ts'
import { statusFileLook } from './status-file.ts'
import type { Writer } from './verdict.ts'

/** What looks may touch. */
export interface LookDeps {
  readonly lane: Lane
  readonly clock: Clock
  readonly integrity: IntegrityQueue
  readonly shares: Shares
  readonly findWriter: (file: string) => Promise<Writer>
  readonly sqlHistory: (server: string) => Promise<SqlAnswer>
}

export interface Looked {
  /** Absent: nothing to say. */
  readonly finding?: Finding
  readonly memory: WatchMemory
}

/** One look at a backup. Never rejects for what it looks at. */
export type Look = (memory: WatchMemory, recollection: Recollection) => Promise<Looked>

export interface Watch {
  /** One source of one backup. */
  readonly key: string
  readonly backup: BackupConfig
  readonly source: BackupReport['source']
  readonly look: Look
}

export const DEFAULT_POLL_MS = 60_000

/** Everything that a configuration asks to look at. */
export function watchesOf(config: HostConfig, deps: LookDeps): Watch[] {
  return (config.backups ?? []).flatMap(backup => {
    const { name, directory, pattern, statusFile, mssql } = backup
    const watch = (source: BackupReport['source'], look: Look): Watch => {
      return { key: `${source}|${name}`, backup, source, look }
    }
    return [
      ...(statusFile === undefined ? [] : [watch('status-file', statusFileLook(backup, statusFile, deps))]),
      ...(mssql ? [watch('mssql', sqlLook(backup, mssql.server ?? DEFAULT_SERVER, mssql.database, deps))] : []),
      ...(directory === undefined || pattern === undefined
        ? []
        : [watch('directory', directoryLook(backup, directory, pattern, deps))]),
    ]
  })
}

export interface WatcherOptions {
  /** The ledger's. */
  readonly directory: string
  readonly ledger: Pick<Ledger, 'recall'>
  readonly config: () => HostConfig
  readonly deps: LookDeps
  readonly clock: Clock
  readonly log: Log
}

/** Looks at backups beside collection, each in its own time; what it finds reaches the ledger as reports do. */
export interface Watcher {
  /** Starts the looks whose time has come; each promise is one of them, and never rejects. */
  tick(halt: AbortSignal): Promise<void>[]
  /** Until `halt` is aborted; looks that hang are left behind. */
  run(halt: AbortSignal): Promise<void>
}

/** A changed configuration is seen after this. */
const TICK_MS = 5_000
const MIN_TICK_MS = 200

export function createWatcher(options: WatcherOptions): Watcher {
  const { directory, ledger, config, deps, clock, log } = options
  const memories = openMemories(directory)
  const trouble = createTrouble(log)
  const busy = new Set<string>()
  const nextAtMs = new Map<string, number>()
  let applied: HostConfig['backups']
  let watches: readonly Watch[] = []

  function refresh(): void {
    const { backups } = config()
    if (backups === applied) return
    applied = backups
    watches = watchesOf(config(), deps)
    nextAtMs.clear()
    guarded(() => memories.prune(new Set(watches.map(({ key }) => key))))
  }

  function guarded(write: () => void): boolean {
    try {
      write()
      trouble.clear('What is seen of backups can be kept again')
      return true
    } catch (error) {
      trouble.raise('error', `What is seen of backups cannot be kept (${describeError(error)}); it is looked for again`)
      return false
    }
  }

  async function lookAt(watch: Watch, halt: AbortSignal): Promise<void> {
    const looked = await watch.look(memories.of(watch.key), ledger.recall(watch.backup.name))
    // A look may have taken its time.
    if (halt.aborted || !watches.includes(watch)) return
    guarded(() => tell(watch, looked))
  }

  /** The report first: a crash in between tells it once more, and never not at all. */
  function tell(watch: Watch, { finding, memory }: Looked): void {
    const told = tellFinding(watch, finding, memory.told)
    memories.keep(watch.key, { ...memory, ...(told !== undefined && { told }) })
  }

  function tellFinding({ backup, source }: Watch, finding: Finding | undefined, told: string | undefined) {
    if (!finding) return undefined
    const recollection = ledger.recall(backup.name)
    const report = reportFor(finding, { backup, source, recollection, told, nowMs: clock.nowMs() })
    if (!report) return undefined
    const lost = writeReport(inboxOf(directory), report)
    if (lost > 0) log('warn', `${lost} older backup reports were given up: the spool takes none`)
    return toldKey(finding)
  }

  function start(watch: Watch, halt: AbortSignal): Promise<void> {
    busy.add(watch.key)
    nextAtMs.set(watch.key, clock.monoMs() + (watch.backup.pollMs ?? DEFAULT_POLL_MS))
    return lookAt(watch, halt)
      .catch(error => log('error', `Backup ${watch.backup.name} could not be looked at (${describeError(error)})`))
      .finally(() => busy.delete(watch.key))
  }

  function untilNext(): number {
    const idle = watches.filter(({ key }) => !busy.has(key)).map(({ key }) => nextAtMs.get(key) ?? 0)
    return Math.max(Math.min(TICK_MS, ...idle.map(atMs => atMs - clock.monoMs())), MIN_TICK_MS)
  }

  function tick(halt: AbortSignal): Promise<void>[] {
    refresh()
    const due = watches.filter(({ key }) => !busy.has(key) && clock.monoMs() >= (nextAtMs.get(key) ?? 0))
    return due.map(watch => start(watch, halt))
  }

  return {
    tick,
    async run(halt) {
      const pause = createPause(clock)
      halt.addEventListener('abort', () => pause.wake())
      while (!halt.aborted) {
        tick(halt)
        await pause.wait(untilNext())
      }
    },
  }
}
