import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createIntegrityQueue } from '../../../../agent/backup/integrity-queue.ts'
import { createLane } from '../../../../agent/backup/lane.ts'
import { type Ledger, openLedger } from '../../../../agent/backup/ledger.ts'
import { createWatcher, type LookDeps, type Watcher } from '../../../../agent/backup/watch.ts'
import type { Clock } from '../../../../agent/clock.ts'
import { applyReport, type BackupMemory } from '../../../../relay/tenant/backups.ts'
import type { BackupConfig } from '../../../../shared/host-config.ts'
import { type BackupReport, backupReport, type Entry, entrySchema } from '../../../../shared/wire.ts'

/** 20:00 on a Wednesday, local time: the backup of the night is to come. */
export const EVENING_MS = new Date(2026, 10, 25, 20, 0).getTime()
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

/** Stands still until it is moved. Waits of under five seconds are over at once, longer ones when the clock gets there. */
export class ManualClock implements Clock {
  atMs = EVENING_MS
  private readonly sleepers = new Set<{ untilMs: number; wake: () => void }>()
  nowMs = () => this.atMs
  monoMs = () => this.atMs - EVENING_MS + HOUR_MS
  sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>(resolve => {
      if (signal?.aborted || ms < 5_000) return setImmediate(resolve)
      const wake = () => {
        this.sleepers.delete(sleeper)
        resolve()
      }
      const sleeper = { untilMs: this.atMs + ms, wake }
      this.sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake)
    })
  advance(ms: number): void {
    this.atMs += ms
    for (const sleeper of this.sleepers) if (sleeper.untilMs <= this.atMs) sleeper.wake()
  }
}

/** Real files answer in real time, which the clock that is moved by hand knows nothing of. */
const NO_DEADLINE: Clock = {
  nowMs: () => 0,
  monoMs: () => 0,
  sleep: (_, signal) => new Promise(resolve => signal?.addEventListener('abort', () => resolve())),
}

/** A host with one configured backup: its directory, its agent's ledger and watcher, and what a relay makes of it. */
export class BackupBench {
  readonly root = mkdtempSync(path.join(tmpdir(), 'onec-watch-'))
  readonly directory = path.join(this.root, 'Резервные копии')
  readonly clock = new ManualClock()
  readonly reports: BackupReport[] = []
  readonly entries: Entry[] = []
  readonly logged: string[] = []
  relay: BackupMemory | undefined
  ledger: Ledger
  private watcher: Watcher
  private backups: BackupConfig[]
  private readonly overrides: Partial<LookDeps>
  private readonly halt = new AbortController()

  constructor(rules: Partial<BackupConfig>, overrides: Partial<LookDeps> = {}) {
    this.overrides = overrides
    mkdirSync(this.directory)
    this.backups = [{ name: 'Зарплата 3.1', ...rules }]
    ;[this.ledger, this.watcher] = this.start()
  }

  /** With a directory that is watched. */
  static ofDirectory(rules: Partial<BackupConfig> = {}, overrides: Partial<LookDeps> = {}): BackupBench {
    const bench = new BackupBench({}, overrides)
    bench.configure({ directory: bench.directory, pattern: '*', ...rules })
    return bench
  }

  configure(rules: Partial<BackupConfig>): void {
    this.backups = [{ name: 'Зарплата 3.1', ...rules }]
  }

  get stateDirectory(): string {
    return path.join(this.root, 'state')
  }

  private start(): [Ledger, Watcher] {
    const { clock } = this
    const ledger = openLedger({ directory: this.stateDirectory, spooled: [] })
    const lane = this.overrides.lane ?? createLane(NO_DEADLINE, () => false)
    const deps: LookDeps = {
      lane,
      clock,
      integrity: createIntegrityQueue(lane, clock, this.halt.signal),
      shares: { connect: async () => undefined, lost: () => undefined },
      findWriter: async () => 'none',
      sqlHistory: async () => ({ history: new Map(), askedAtMs: clock.atMs }),
      ...this.overrides,
    }
    const log = (_: string, message: string) => void this.logged.push(message)
    const config = () => ({ backups: this.backups })
    return [ledger, createWatcher({ directory: this.stateDirectory, ledger, config, deps, clock, log })]
  }

  /** The agent is gone for a while and comes back. */
  restart(awayMs = 0): void {
    this.clock.advance(awayMs)
    ;[this.ledger, this.watcher] = this.start()
  }

  /** A file whose last change is `agoMs` before now. */
  put(name: string, content: string | Buffer, agoMs = MINUTE_MS): string {
    const file = path.join(this.directory, name)
    writeFileSync(file, content)
    const at = (this.clock.atMs - agoMs) / 1000
    utimesSync(file, at, at)
    return file
  }

  /** Writes on at the end of a file, now. */
  grow(file: string, bytes: number): void {
    appendFileSync(file, Buffer.alloc(bytes, 1))
    utimesSync(file, this.clock.atMs / 1000, this.clock.atMs / 1000)
  }

  /** One minute passes, with a look and a snapshot; the newest report that the relay has by then. */
  async minute(ms = MINUTE_MS): Promise<BackupReport | undefined> {
    this.clock.advance(ms)
    await Promise.all(this.watcher.tick(this.halt.signal))
    const news = this.ledger.news(this.clock.atMs, { backups: this.backups })
    if (!news) return this.reports.at(-1)
    this.ledger.commit(news)
    for (const report of news.backups) {
      backupReport.parse(report)
      this.reports.push(report)
      this.relay = applyReport(this.relay, report)
    }
    this.entries.push(...news.entries.map(entry => entrySchema.parse(entry)))
    return this.reports.at(-1)
  }

  async minutes(count: number): Promise<BackupReport | undefined> {
    for (let index = 1; index < count; index++) await this.minute()
    return await this.minute()
  }

  /** Until something with this code has been said, within real time: a file is being read whole. */
  async until(code: string): Promise<BackupReport | undefined> {
    for (let index = 0; index < 50; index++) {
      const report = await this.minute()
      if (report?.reason?.startsWith(code) || report?.state === code) return report
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return this.reports.at(-1)
  }

  close(): void {
    this.halt.abort()
    rmSync(this.root, { recursive: true })
  }
}
