import { describeError, systemCode } from '../error.ts'
import { createTrouble, type Log } from '../log.ts'
import type { SpoolItem } from '../spool/item.ts'
import { newestOf } from './pack.ts'
import { EMPTY_STATE, type FilePosition, type FollowState, type LogProgress } from './position.ts'
import type { FileReading } from './read.ts'
import type { SourceReading } from './source.ts'
import { applyProgress, loadState, saveState } from './state-file.ts'

/** What is known of all files, in memory and in the state file. */
export interface Book {
  readonly state: FollowState
  /** Positions that the state file has not heard of. */
  readonly unsaved: readonly FilePosition[]
  /** A run begins: while no agent ran nothing was seen, and that says nothing. */
  begin(nowMs: number): void
  /** Names, new files and what is gone; no position of a file that was read moves before `apply`. */
  take(reading: SourceReading): readonly FileReading[]
  /** This item is on disk. */
  apply(item: SpoolItem): void
  /** Forgets what is followed for other paths, and the longest unseen beyond the bound. */
  keep(paths: ReadonlySet<string>): void
  /** Writes the state file when there is something new. */
  save(): void
}

/** Known files, those included that are gone. */
const MAX_KNOWN = 500

export function openBook(file: string, spooled: LogProgress | undefined, log: Log): Book {
  const trouble = createTrouble(log)
  const unsaved = new Set<number>(spooled?.files.map(each => each.id))
  let state = load()
  let changed = spooled !== undefined

  /** A bad sector must not keep the agent from its snapshots. */
  function load(): FollowState {
    try {
      return loadState(file, spooled)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      const then = 'what is not waiting in the spool is followed as if it were new'
      trouble.raise('warn', `The positions of log files cannot be read (${describeError(error)}): ${then}`)
      return spooled ? applyProgress(EMPTY_STATE, spooled) : EMPTY_STATE
    }
  }

  function withId(position: FilePosition): FilePosition {
    if (position.id !== 0) return position
    const { nextId } = state
    state = { ...state, nextId: nextId + 1 }
    return { ...position, id: nextId }
  }

  function putFiles(positions: readonly FilePosition[], gone: readonly number[]): void {
    const files = new Map(state.files.map(each => [each.id, each]))
    for (const position of positions) {
      if (files.get(position.id)?.path !== position.path) changed = true
      files.set(position.id, position)
    }
    for (const id of gone) if (files.delete(id)) changed = true
    state = { ...state, files: [...files.values()] }
  }

  return {
    get state() {
      return state
    },
    get unsaved() {
      return state.files.filter(each => unsaved.has(each.id))
    },
    begin(nowMs) {
      state = { ...state, files: state.files.map(each => ({ ...each, seenAtMs: nowMs })) }
    },
    take(reading) {
      const readings = reading.readings.map(each => ({ ...each, position: withId(each.position) }))
      const before = new Map(state.files.map(each => [each.id, each]))
      const stayed = readings.map(({ position }) => {
        const { path, seenAtMs } = position
        return { ...(before.get(position.id) ?? position), path, seenAtMs }
      })
      putFiles([...reading.unchanged.map(withId), ...stayed], reading.gone)
      const others = state.sources.filter(each => each.path !== reading.source)
      const known = state.sources.find(each => each.path === reading.source)
      if (known?.passedToMs !== reading.state?.passedToMs) changed = true
      state = { ...state, sources: reading.state ? [...others, reading.state] : others }
      return readings
    },
    apply({ atMs, logs, entries = [] }) {
      if (logs) state = applyProgress(state, logs)
      for (const { id } of logs?.files ?? []) unsaved.add(id)
      state = { ...state, newest: newestOf(state.newest, entries, atMs) }
    },
    keep(paths) {
      const wanted = state.files.filter(each => paths.has(each.source))
      const files = wanted.toSorted((a, b) => b.seenAtMs - a.seenAtMs).slice(0, MAX_KNOWN)
      const sources = state.sources.filter(each => paths.has(each.path))
      if (files.length !== state.files.length || sources.length !== state.sources.length) changed = true
      state = { ...state, files, sources }
    },
    save() {
      if (!changed && unsaved.size === 0) return
      try {
        saveState(file, state)
        unsaved.clear()
        changed = false
        trouble.clear('The positions of log files are written again')
      } catch (error) {
        const why = 'after a kill some lines could be sent once more'
        trouble.raise('warn', `The positions of log files cannot be written (${describeError(error)}): ${why}`)
      }
    },
  }
}
