import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { createTrouble, type Log } from '../log.ts'
import { CLOCK_SET_MS } from '../snapshot.ts'
import type { SpoolItem } from '../spool/item.ts'
import { openBook } from './book.ts'
import type { LogDisk } from './disk.ts'
import { createLooks } from './look.ts'
import { createPace } from './pace.ts'
import { type Parcel, packItems } from './pack.ts'
import type { LogProgress } from './position.ts'
import type { FileReading, ReadBudget } from './read.ts'
import { readSource, type SourceReading } from './source.ts'
import { filesPerPattern, isPattern, type LogSource, logSources } from './sources.ts'
import { createTallies, type LogTotals } from './tallies.ts'
import type { LocalClock } from './time.ts'
import { createViews, type LogFileView } from './view.ts'

export interface FollowerOptions {
  readonly disk: LogDisk
  /** The state file, in the agent's own folder. */
  readonly file: string
  /** What the spool holds already: a kill came between it and `commit`. */
  readonly spooled: LogProgress | undefined
  readonly config: () => HostConfig & { readonly intervalMs: number }
  /** False while the spool should take nothing but snapshots: lines wait in their files then. */
  readonly hasRoom: () => boolean
  readonly clock: Clock
  readonly log: Log
  readonly local: LocalClock
  readonly windows: boolean
}

/** Follows the log files of this host. */
export interface LogFollower {
  /** What is new in them, within two seconds; never throws. Changes nothing that a later call would miss. */
  read(nowMs: number): Promise<readonly FileReading[]>
  /** The items to append, in order: this snapshot's with entries added, and more of them. */
  pack(base: SpoolItem, readings: readonly FileReading[]): readonly Parcel[]
  /** These are on disk. */
  commit(parcels: readonly Parcel[]): void
  readonly views: readonly LogFileView[]
  readonly totals: LogTotals
}

/** All files together, at one look. */
const BUDGET = { bytes: 8 * 1024 * 1024, chars: 1024 * 1024 }
/** Files are read for this long, and a call that takes longer is left to itself. */
const READ_MS = 1_000
const DEADLINE_MS = 2_000
/** With less time than this a path has its turn at the next look. */
const MIN_LOOK_MS = 100

export function createFollower(options: FollowerOptions): LogFollower {
  const { disk, config, clock, log, local, windows } = options
  const looks = createLooks<SourceReading>(clock)
  const roomTrouble = createTrouble(log)
  const tallies = createTallies()
  const views = createViews(tallies)
  const pace = createPace(clock, () => config().intervalMs)
  const book = openBook(options.file, options.spooled, log)
  const lastLooks = new Map<string, number>()
  let begun = false
  let turn = 0
  /** The turn after the last look: moved on to by one, for whatever reason, so that of two files each has its own. */
  let nextTurn = 1

  function lookAt(source: LogSource, maxFiles: number, budget: ReadBudget, nowMs: number): Promise<SourceReading> {
    const paths = logSources(config(), windows).map(each => each.path)
    const before = new Set(paths.slice(0, paths.indexOf(source.path)))
    const elsewhere = book.state.files.filter(each => each.source !== source.path)
    const ahead = elsewhere.filter(each => before.has(each.source) && each.identity !== '')
    const lastLookMs = lastLooks.get(source.path) ?? nowMs
    lastLooks.set(source.path, nowMs)
    return readSource(disk, {
      config: source,
      elsewhere,
      taken: new Set(ahead.map(each => each.identity)),
      ownFolder: path.dirname(options.file),
      known: book.state.files.filter(each => each.source === source.path),
      state: book.state.sources.find(each => each.path === source.path),
      maxFiles: isPattern(source.path) ? maxFiles : 1,
      ...{ nowMs, lastLookMs, windows, local, budget, turn },
      dueOf: id => ({ allowed: pace.allowed(source, id), untold: tallies.untold(id) }),
      isSettled: pace.isSettled,
    })
  }

  function take(reading: SourceReading): readonly FileReading[] {
    const readings = book.take(reading)
    for (const { position, sizeBytes } of readings) pace.noteEnd(position.id, sizeBytes)
    views.see(reading, readings, book.state.files)
    return readings
  }

  function keepOnly(sources: readonly LogSource[]): void {
    const paths = new Set(sources.map(each => each.path))
    book.keep(paths)
    const ids = new Set(book.state.files.map(each => each.id))
    pace.keep(ids)
    tallies.keep(ids)
    views.keep(paths)
    for (const path of lastLooks.keys()) if (!paths.has(path)) lastLooks.delete(path)
  }

  function mayRead(): boolean {
    const room = options.hasRoom()
    if (room) roomTrouble.clear('Log lines are read again')
    else roomTrouble.raise('warn', 'Log lines wait in their files until the spool has room again')
    return room
  }

  async function readAll(sources: readonly LogSource[], nowMs: number): Promise<readonly FileReading[]> {
    const startMs = clock.monoMs()
    const spentMs = () => clock.monoMs() - startMs
    const budget = { ...BUDGET, expired: () => spentMs() > READ_MS }
    const maxFiles = filesPerPattern(sources)
    const first = turn % sources.length
    nextTurn = turn + 1
    const readings: FileReading[] = []
    for (const source of [...sources.slice(first), ...sources.slice(0, first)]) {
      const leftMs = DEADLINE_MS - spentMs()
      if (leftMs < MIN_LOOK_MS) break
      const reading = await looks.look(source.path, () => lookAt(source, maxFiles, budget, nowMs), leftMs)
      if (reading) readings.push(...take(reading))
      else views.hang(source.path, looks.isHanging(source.path))
    }
    if (budget.expired() || budget.bytes <= 0 || budget.chars <= 0) turn = nextTurn
    return readings
  }

  return {
    async read(nowMs) {
      if (!begun) book.begin(nowMs)
      begun = true
      const sources = logSources(config(), windows)
      // With a clock that was never set no entry would have a time that a relay takes.
      const may = sources.length > 0 && nowMs >= CLOCK_SET_MS && mayRead()
      const readings = may ? await readAll(sources, nowMs) : []
      // Not before: a path that is written in another way goes on where the old one was.
      keepOnly(sources)
      return readings
    },
    pack(base, readings) {
      const { revision, newest } = book.state
      const { unsaved } = book
      const more = { moreItems: pace.items(), newest, readAtMs: base.atMs, revision, unsaved }
      const parcels = packItems({ base, readings, ...more })
      const packed = countEntries(parcels.map(({ item }) => item)) - countEntries([base])
      // One file that always fills all items must not keep the others waiting for ever.
      if (packed < readings.reduce((sum, { steps }) => sum + steps.length, 0)) turn = nextTurn
      return parcels
    },
    commit(parcels) {
      for (const { item, tallies: taken } of parcels) {
        book.apply(item)
        for (const tally of taken) {
          tallies.add(tally)
          pace.spendEntries(tally.id, tally.entries)
        }
      }
      pace.spendItems(Math.max(parcels.length - 1, 0))
      book.save()
      views.move(book.state.files)
    },
    get views() {
      return views.all
    },
    totals: tallies.totals,
  }
}

const countEntries = (items: readonly SpoolItem[]): number =>
  items.reduce((sum, { entries = [] }) => sum + entries.length, 0)
