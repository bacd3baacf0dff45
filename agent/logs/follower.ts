import type { HostConfig, LogFileConfig } from '../../shared/host-config.ts'
import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import { createTrouble, type Log } from '../log.ts'
import type { SpoolItem } from '../spool/item.ts'
import { type Allowance, mostFor, refill, spend } from './allowance.ts'
import type { LogDisk } from './disk.ts'
import { createLooks } from './look.ts'
import { newestOf, type Parcel, packItems } from './pack.ts'
import type { FilePosition, LogProgress } from './position.ts'
import type { FileReading, ReadBudget } from './read.ts'
import { perMinute } from './select.ts'
import { readSource, type SourceInput, type SourceReading } from './source.ts'
import { filesPerPattern, isPattern, logSources } from './sources.ts'
import { applyProgress, loadState, saveState } from './state-file.ts'
import { createTallies, type LogTotals } from './tallies.ts'
import type { LocalClock } from './time.ts'
import { createViews, type LogFileView } from './view.ts'

export interface FollowerOptions {
  readonly disk: LogDisk
  /** The state file. */
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
/** Items of a few kilobytes that logs may add, all files together. */
const ITEMS_PER_MINUTE = 8
/** A line without an end, or an entry that could go on, waits this long for more. */
const SETTLE_MS = 5_000
/** Known files, those included that are gone: the longest unseen are forgotten first. */
const MAX_KNOWN = 1_000

export function createFollower(options: FollowerOptions): LogFollower {
  const { disk, file, config, clock, log, local, windows } = options
  const looks = createLooks<SourceReading>(clock)
  const saveTrouble = createTrouble(log)
  const roomTrouble = createTrouble(log)
  const tallies = createTallies()
  const views = createViews(tallies)
  const allowances = new Map<number, Allowance>()
  const ends = new Map<number, { readonly sizeBytes: number; readonly sinceMs: number }>()
  let items: Allowance | undefined
  let state = loadState(file, options.spooled)
  const unsaved = new Set<number>(options.spooled?.files.map(each => each.id))
  let changed = options.spooled !== undefined
  let turn = 0
  let looked = 0

  const most = (rate: number): number => mostFor(rate, config().intervalMs)

  function dueOf(source: LogFileConfig, id: number) {
    const rate = perMinute(source)
    const allowance = refill(id === 0 ? undefined : allowances.get(id), rate, most(rate), clock.monoMs())
    if (id !== 0) allowances.set(id, allowance)
    return { allowed: Math.floor(allowance.left), untold: tallies.untold(id) }
  }

  function isSettled(id: number, sizeBytes: number): boolean {
    const end = ends.get(id)
    return end?.sizeBytes === sizeBytes && clock.monoMs() - end.sinceMs >= SETTLE_MS
  }

  function inputFor(source: LogFileConfig, maxFiles: number, budget: ReadBudget, nowMs: number): SourceInput {
    return {
      config: source,
      known: state.files.filter(each => each.source === source.path),
      state: state.sources.find(each => each.path === source.path),
      maxFiles: isPattern(source.path) ? maxFiles : 1,
      ...{ nowMs, windows, local, budget, turn },
      dueOf: id => dueOf(source, id),
      isSettled,
    }
  }

  /** Names, new files and what is gone: nothing here moves a position of what was read. */
  function take(reading: SourceReading): readonly FileReading[] {
    const gone = new Set(reading.gone)
    const readings = reading.readings.map(each => ({ ...each, position: withId(each.position) }))
    const files = new Map(state.files.map(each => [each.id, each]))
    // Until its lines are in the spool a file that was read stays where it was.
    const stayed = readings.map(({ position }) => {
      const { path, seenAtMs } = position
      return { ...(files.get(position.id) ?? position), path, seenAtMs }
    })
    for (const position of [...reading.unchanged.map(withId), ...stayed]) {
      if (files.get(position.id)?.path !== position.path) changed = true
      files.set(position.id, position)
    }
    for (const each of readings) noteEnd(each)
    if (gone.size > 0) changed = true
    for (const id of gone) files.delete(id)
    const sources = state.sources.filter(each => each.path !== reading.source)
    if (sources.length === state.sources.length && reading.state) changed = true
    state = {
      ...state,
      files: [...files.values()],
      sources: [...sources, ...(reading.state ? [reading.state] : [])],
    }
    views.see(reading, readings, state.files)
    return readings
  }

  function withId(position: FilePosition): FilePosition {
    if (position.id !== 0) return position
    const { nextId } = state
    state = { ...state, nextId: nextId + 1 }
    return { ...position, id: nextId }
  }

  function noteEnd({ position, sizeBytes }: FileReading): void {
    if (ends.get(position.id)?.sizeBytes !== sizeBytes) ends.set(position.id, { sizeBytes, sinceMs: clock.monoMs() })
  }

  /** Forgets what the configuration no longer names, and the longest unseen beyond the bound. */
  function tidy(sources: readonly LogFileConfig[]): void {
    const paths = new Set(sources.map(each => each.path))
    const wanted = state.files.filter(each => paths.has(each.source))
    const files = wanted.toSorted((a, b) => b.seenAtMs - a.seenAtMs).slice(0, MAX_KNOWN)
    const kept = state.sources.filter(each => paths.has(each.path))
    if (files.length !== state.files.length || kept.length !== state.sources.length) changed = true
    state = { ...state, files, sources: kept }
    const ids = new Set(files.map(each => each.id))
    for (const id of [...allowances.keys(), ...ends.keys()])
      if (!ids.has(id)) {
        allowances.delete(id)
        ends.delete(id)
      }
    tallies.keep(ids)
    views.keep(paths)
  }

  function save(): void {
    if (!changed && unsaved.size === 0) return
    try {
      saveState(file, state)
      unsaved.clear()
      changed = false
      saveTrouble.clear('The positions of log files are written again')
    } catch (error) {
      const why = 'after a kill some lines could be sent once more'
      saveTrouble.raise('warn', `The positions of log files cannot be written (${describeError(error)}): ${why}`)
    }
  }

  return {
    async read(nowMs) {
      const sources = logSources(config(), windows)
      tidy(sources)
      // While no agent ran nothing was seen, and that says nothing.
      if (looked++ === 0) state = { ...state, files: state.files.map(each => ({ ...each, seenAtMs: nowMs })) }
      if (sources.length === 0) return []
      if (!options.hasRoom()) {
        roomTrouble.raise('warn', 'Log lines wait in their files until the spool has room again')
        return []
      }
      roomTrouble.clear('Log lines are read again')
      const startMs = clock.monoMs()
      const spentMs = () => clock.monoMs() - startMs
      const budget = { ...BUDGET, expired: () => spentMs() > READ_MS }
      const maxFiles = filesPerPattern(sources)
      const readings: FileReading[] = []
      for (const [index] of sources.entries()) {
        const source = sources[(index + turn) % sources.length]
        if (!source) continue
        const leftMs = DEADLINE_MS - spentMs()
        if (leftMs < MIN_LOOK_MS) break
        const start = () => readSource(disk, inputFor(source, maxFiles, budget, nowMs))
        const reading = await looks.look(source.path, start, leftMs)
        if (reading) readings.push(...take(reading))
        else views.hang(source.path, looks.isHanging(source.path))
      }
      if (budget.expired() || budget.bytes <= 0 || budget.chars <= 0) turn++
      return readings
    },
    pack(base, readings) {
      items = refill(items, ITEMS_PER_MINUTE, most(ITEMS_PER_MINUTE), clock.monoMs())
      const files = state.files.filter(each => unsaved.has(each.id))
      return packItems({
        ...{ base, readings, unsaved: files, revision: state.revision, newest: state.newest },
        moreItems: Math.floor(items.left),
        readAtMs: base.atMs,
      })
    },
    commit(parcels) {
      for (const { item, tallies: taken } of parcels) {
        if (item.logs) state = applyProgress(state, item.logs)
        for (const { id } of item.logs?.files ?? []) unsaved.add(id)
        state = { ...state, newest: newestOf(state.newest, item.entries ?? []) }
        for (const tally of taken) {
          tallies.add(tally)
          const allowance = allowances.get(tally.id)
          if (allowance) allowances.set(tally.id, spend(allowance, tally.entries))
        }
      }
      if (items) items = spend(items, Math.max(parcels.length - 1, 0))
      save()
      views.move(state.files)
    },
    get views() {
      return views.all
    },
    totals: tallies.totals,
  }
}
