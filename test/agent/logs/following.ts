import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { logDisk } from '../../../agent/logs/disk.ts'
import { createFollower, type LogFollower } from '../../../agent/logs/follower.ts'
import type { Parcel } from '../../../agent/logs/pack.ts'
import type { LogProgress } from '../../../agent/logs/position.ts'
import { hostLocalClock } from '../../../agent/logs/time.ts'
import type { SpoolItem } from '../../../agent/spool/item.ts'
import type { HostConfig } from '../../../shared/host-config.ts'
import type { Entry } from '../../../shared/wire.ts'

/** A follower in a folder of its own, under a clock that only the test moves. */
export class Following {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'журналы-'))
  nowMs = Date.now()
  monoMs = 1_000
  config: HostConfig & { intervalMs: number } = { intervalMs: 60_000 }
  room = true
  /** How long a wait really takes, at most. */
  patienceMs = 10_000
  disk = logDisk
  readonly said: string[] = []
  follower!: LogFollower

  constructor(config: Omit<HostConfig, 'intervalMs'> = {}) {
    this.config = { intervalMs: 60_000, ...config }
    mkdirSync(path.dirname(this.stateFile))
    this.start()
  }

  /** As a new process of the agent would. */
  start(spooled?: LogProgress): void {
    this.follower = createFollower({
      disk: { list: (...a) => this.disk.list(...a), stat: p => this.disk.stat(p), open: p => this.disk.open(p) },
      file: this.stateFile,
      spooled,
      config: () => this.config,
      hasRoom: () => this.room,
      clock: {
        nowMs: () => this.nowMs,
        monoMs: () => this.monoMs,
        sleep: (ms, signal) =>
          new Promise(resolve => {
            const timer = setTimeout(resolve, Math.min(ms, this.patienceMs))
            signal?.addEventListener('abort', () => {
              clearTimeout(timer)
              resolve()
            })
          }),
      },
      log: (level, message) => this.said.push(`${level} ${message}`),
      local: hostLocalClock,
      windows: false,
    })
  }

  get stateFile(): string {
    return path.join(this.folder, 'состояние', 'позиции.json')
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names)
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.monoMs += ms
  }

  base(): SpoolItem {
    return { atMs: this.nowMs, snapshot: { atMs: this.nowMs, monoMs: this.monoMs, metrics: { onec_cpu_percent: 1 } } }
  }

  /** A minute later: what would be appended to the spool, not committed. */
  async look(): Promise<readonly Parcel[]> {
    this.pass(60_000)
    return this.follower.pack(this.base(), await this.follower.read(this.nowMs))
  }

  /** A minute later: the entries, and they are on disk. */
  async poll(): Promise<Entry[]> {
    const parcels = await this.look()
    this.follower.commit(parcels)
    return entriesOf(parcels)
  }

  async texts(): Promise<string[]> {
    return (await this.poll()).map(entry => entry.message)
  }

  view(name: string) {
    return this.follower.views.find(view => view.path === this.at(name))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export const entriesOf = (parcels: readonly Parcel[]): Entry[] =>
  parcels.flatMap(({ item }) => [...(item.entries ?? [])])
