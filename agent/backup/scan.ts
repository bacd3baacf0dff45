import type { Dirent } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Clock } from '../clock.ts'
import { systemCode } from '../error.ts'
import { compileGlob } from './glob.ts'
import { type Lane, Unreachable } from './lane.ts'
import type { SeenFile } from './verdict.ts'

/** Up to this many files are all looked at, every time. */
const FEW_FILES = 500
/** Of more than that: the newest, and a part of the others in turn, for one that is written over in place. */
const NEWEST = 16
/** Names looked at for the first time by one scan; the rest wait for the next. */
const MAX_NEW = 20_000
/** A directory whose own time did not change is listed anew after this long at the latest. */
const RELIST_MS = 30 * 60_000
const LIST_DEADLINE_MS = 60_000
const STATS_A_CALL = 50
/** Folders that one scan goes into: a list that were cut silently would miss the newest. */
const MAX_DIRECTORIES = 2_000
const MAX_DEPTH = 6
/** At the root of a Windows volume: deleted files are no backups, and an administrator may not read these. */
const SYSTEM_FOLDER = /^(\$recycle\.bin|system volume information)$/i

export interface Scan {
  /** The newest files, in no order. */
  readonly files: readonly SeenFile[]
  /** False while there are files that no scan has looked at yet. */
  readonly isComplete: boolean
}

/** A pattern, or a path, by its levels. */
export const segmentsOf = (pattern: string): string[] =>
  pattern.split(process.platform === 'win32' ? /[\\/]+/ : /\/+/).filter(part => part !== '.')

/** Finds the newest files of one directory again and again; a hundred thousand of them cost little after the first time. */
export interface Scanner {
  /** Rejects with `Unreachable` or the system's error. */
  scan(): Promise<Scan>
}

export function createScanner(directory: string, pattern: string, lane: Lane, clock: Clock): Scanner {
  const segments = segmentsOf(pattern)
  /** Name → time of last change. */
  let seen = new Map<string, number>()
  let newest: SeenFile[] = []
  let listedAtMs = Number.NEGATIVE_INFINITY
  let changedAtMs: number | undefined
  let cursor = 0
  let left = 0

  async function list(): Promise<string[]> {
    const halt = new AbortController()
    const work = lane.run(directory, () => listFiles(directory, segments, halt.signal), LIST_DEADLINE_MS)
    return await work.finally(() => halt.abort())
  }

  /** Which of the names to look at now. */
  function choose(names: readonly string[]): Set<string> {
    if (names.length <= FEW_FILES) return new Set(names)
    const fresh = names.filter(name => !seen.has(name)).toReversed()
    left = Math.max(fresh.length - MAX_NEW, 0)
    cursor = (cursor + FEW_FILES) % names.length
    const turn = names.slice(cursor, cursor + FEW_FILES)
    const top = newest.map(file => path.relative(directory, file.path))
    return new Set([...fresh.slice(0, MAX_NEW), ...top.filter(name => names.includes(name)), ...turn])
  }

  async function look(names: Iterable<string>): Promise<SeenFile[]> {
    const found: SeenFile[] = []
    let failure: unknown
    const queue = [...names]
    while (queue.length > 0) {
      const files = queue.splice(-STATS_A_CALL).map(name => path.join(directory, name))
      const seenNow = await lane.run(directory, () => statAll(files))
      found.push(...seenNow.files)
      failure ??= seenNow.failure
    }
    // Names that are listed and cannot be looked at are a place that cannot be read, not an empty one.
    if (found.length === 0 && failure !== undefined) throw failure
    return found
  }

  return {
    async scan() {
      const monoMs = clock.monoMs()
      const own = await lane.run(directory, () => stat(directory))
      const isQuiet = seen.size > FEW_FILES && own.mtimeMs === changedAtMs && monoMs - listedAtMs < RELIST_MS
      if (isQuiet && left === 0 && segments.length === 1) {
        newest = await look(newest.map(file => path.relative(directory, file.path)))
        return { files: newest, isComplete: true }
      }
      const names = await list()
      left = 0
      const found = await look(choose(names))
      const before = seen
      seen = new Map(names.flatMap(name => (before.has(name) ? [[name, before.get(name) ?? 0]] : [])))
      for (const file of found) seen.set(path.relative(directory, file.path), file.modifiedAtMs)
      newest = newestOf([...found, ...newest.filter(file => seen.has(path.relative(directory, file.path)))])
      ;[listedAtMs, changedAtMs] = [monoMs, own.mtimeMs]
      return { files: newest, isComplete: left === 0 }
    },
  }
}

/** The newest of each path: what was found last comes first. */
function newestOf(files: readonly SeenFile[]): SeenFile[] {
  const byPath = new Map(files.toReversed().map(file => [file.path, file]))
  return [...byPath.values()].toSorted((a, b) => b.modifiedAtMs - a.modifiedAtMs).slice(0, NEWEST)
}

/** One after the other: together they would take every I/O thread. */
async function statAll(names: readonly string[]): Promise<{ files: readonly SeenFile[]; failure?: unknown }> {
  const files: SeenFile[] = []
  let failure: unknown
  for (const name of names) {
    const file = await seeFile(name).catch(error => {
      failure ??= error
    })
    if (file) files.push(file)
  }
  return { files, failure }
}

/** Absent when it is no file, or gone. Rejects with the system's error when that cannot be known. */
export async function seeFile(file: string): Promise<SeenFile | undefined> {
  try {
    const stats = await stat(file)
    if (!stats.isFile()) return undefined
    return { path: file, sizeBytes: stats.size, modifiedAtMs: Math.trunc(stats.mtimeMs) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** A folder below `root` that went since it was listed, or that the system cannot call by its name, is empty. */
async function openFolder(root: string, at: string): Promise<AsyncIterable<Dirent>> {
  try {
    return await opendir(path.join(root, at), { bufferSize: 1024 })
  } catch (error) {
    if (at === '' || systemCode(error) !== 'ENOENT') throw error
    return (async function* () {})()
  }
}

/** Paths of files from `root`, by one glob a level; `**` is any number of levels. Rejects when `halt` is aborted. */
export async function listFiles(root: string, segments: readonly string[], halt?: AbortSignal): Promise<string[]> {
  const found = new Set<string>()
  const queue: { at: string; rest: readonly string[]; depth: number }[] = [{ at: '', rest: segments, depth: 0 }]
  for (let visited = 0; queue.length > 0; visited++) {
    if (visited === MAX_DIRECTORIES)
      throw new Error(`the pattern means over ${MAX_DIRECTORIES} folders: name fewer of them`)
    const { at, rest, depth } = queue.pop() ?? { at: '', rest: [], depth: MAX_DEPTH }
    const [head = '*', ...tail] = rest[0] === '**' ? rest.slice(1) : rest
    const matches = compileGlob(head, process.platform === 'win32')
    for await (const entry of await openFolder(root, at)) {
      if (halt?.aborted) throw new Unreachable(`${root} took too long to list`)
      const name = path.join(at, entry.name)
      if (!entry.isDirectory()) {
        if (tail.length === 0 && matches(entry.name)) found.add(name)
      } else if (depth < MAX_DEPTH && !SYSTEM_FOLDER.test(entry.name)) {
        if (rest[0] === '**') queue.push({ at: name, rest, depth: depth + 1 })
        if (tail.length > 0 && matches(entry.name)) queue.push({ at: name, rest: tail, depth: depth + 1 })
      }
    }
  }
  return [...found]
}
