import path from 'node:path'
import { describeError, systemCode } from '../error.ts'
import type { LogDisk } from './disk.ts'
import { type OwnFolder, withoutOwn } from './own.ts'
import { type PathPattern, parsePattern } from './pattern.ts'
import { type Followed, type Plan, planFiles } from './plan.ts'
import type { FilePosition, SourceState } from './position.ts'
import type { LogProblem } from './problem.ts'
import { type FileReading, type ReadBudget, readLog } from './read.ts'
import { type FoundFile, type Scan, scanPattern } from './scan.ts'
import type { LogSource } from './sources.ts'
import type { LocalClock } from './time.ts'

export interface SourceInput extends OwnFolder {
  readonly config: LogSource
  readonly known: readonly FilePosition[]
  readonly state: SourceState | undefined
  /** Files that other paths have, or had before the configuration was changed. */
  readonly elsewhere: readonly FilePosition[]
  /** Numbers of files that are followed for a path named before this one. */
  readonly taken: ReadonlySet<string>
  readonly maxFiles: number
  readonly nowMs: number
  /** When this path was looked at before: a file was missing for as long as somebody looked for it, and no longer. */
  readonly lastLookMs: number
  readonly local: LocalClock
  readonly budget: ReadBudget
  /** What may be shipped of a file now, and what no entry has told of yet; `id` 0 for a new one. */
  readonly dueOf: (id: number) => {
    readonly allowed: number
    readonly untold: { readonly lines: number; readonly bytes: number }
  }
  /** The file ended there when it was last read, long enough ago. */
  readonly isSettled: (id: number, sizeBytes: number) => boolean
  /** Moves on when a look ended before all was read: which file is first then, so that each has its turn. */
  readonly turn: number
}

export interface FileProblem extends LogProblem {
  readonly path: string
}

/** One look at a configured path. */
export interface SourceReading {
  readonly source: string
  readonly state: SourceState | undefined
  readonly readings: readonly FileReading[]
  /** Files that are as they were; with their newest name. */
  readonly unchanged: readonly FilePosition[]
  /** Known files that are gone for good. */
  readonly gone: readonly number[]
  readonly problems: readonly FileProblem[]
}

/** After this without a sign of a file, in a folder that is there, it is forgotten. */
const FORGET_MS = 3_600_000
/** A file that was renamed out of the pattern may still be written for a while, and no longer. */
const MOVED_QUIET_MS = 10 * 60_000
const MAX_SIBLINGS = 1_000

/** Looks at the files of one path and reads on in them. Changes nothing: what it returns may be thrown away. */
export async function readSource(disk: LogDisk, input: SourceInput): Promise<SourceReading> {
  const { config, windows, known } = input
  const pattern = parsePattern(config.path, windows)
  const nothing = { source: config.path, state: input.state, readings: [], unchanged: [], gone: [] }
  if (!pattern) return { ...nothing, problems: [{ path: config.path, code: 'relative_path', detail: '' }] }
  try {
    return await readPattern(disk, input, pattern)
  } catch (error) {
    // Nothing was seen, and that says nothing of the files.
    const unchanged = known.map(each => ({ ...each, seenAtMs: input.nowMs }))
    return { ...nothing, unchanged, problems: [unreadable(config.path, error)] }
  }
}

async function readPattern(disk: LogDisk, input: SourceInput, pattern: PathPattern): Promise<SourceReading> {
  const { config, known, nowMs } = input
  const whole = await scanPattern(disk, pattern, separatorOf(input))
  const familiar = new Set([...known, ...input.elsewhere].map(each => each.identity))
  const scan = { ...whole, files: await withoutOwn(disk, whole.files, familiar, input) }
  const from = config.from ?? 'end'
  const { path: source } = config
  const bounds = {
    path: source,
    source: input.state,
    from,
    elsewhere: input.elsewhere,
    taken: input.taken,
    maxFiles: input.maxFiles,
    nowMs,
  }
  const plan = planFiles({ ...bounds, known, found: scan.files })
  const moved = await findMoved(disk, input, plan)
  const readings: FileReading[] = []
  const unchanged: FilePosition[] = []
  const problems = planProblems(config, scan, plan)
  for (const followed of inTurn([...moved.moved, ...oldestFirst(moved.follow)], input.turn)) {
    const seen = { ...followed.position, path: followed.file.path, seenAtMs: nowMs }
    // On a slow path each look gets on by one file at least.
    const mayRead = readings.length === 0 || !input.budget.expired()
    if (!wantsReading(followed) || input.budget.bytes <= 0 || !mayRead) {
      // One that is new keeps its beginning even when its turn comes later.
      unchanged.push(seen)
      continue
    }
    try {
      const { id } = followed.position
      const due = { ...input.dueOf(id), settled: input.isSettled(id, followed.file.sizeBytes) }
      const reading = await readLog(disk, { ...input, ...due, readAtMs: nowMs, followed })
      if (reading) readings.push(reading)
      else unchanged.push(seen)
    } catch (error) {
      unchanged.push(seen)
      problems.push(unreadable(followed.file.path, error))
    }
  }
  // A folder that is not there may be a disk that is away: what is known of its files is kept.
  const isWhole = scan.there && !scan.truncated && scan.unread.length === 0
  const gone = [...plan.ceded, ...(isWhole ? moved.gone : [])]
  return { source, state: plan.source, readings, unchanged, gone, problems }
}

const unreadable = (path: string, error: unknown): FileProblem => ({
  path,
  code: 'unreadable',
  detail: systemCode(error) ?? describeError(error),
})

function planProblems(config: LogSource, scan: Scan, plan: Plan): FileProblem[] {
  const { path, unasked = false } = config
  const problems = scan.unread.map(({ path: folder, error }) => unreadable(folder, error))
  if (scan.files.length === 0 && !unasked) problems.push({ path, code: 'no_file', detail: '' })
  if (scan.truncated) problems.push({ path, code: 'too_many_names', detail: '' })
  if (plan.leftOut > 0) problems.push({ path, code: 'too_many_files', detail: String(plan.leftOut) })
  return problems
}

/** Unread bytes, signs of a change, or first bytes that are not known yet. */
function wantsReading({ file, position, sameOnlyByHead }: Followed): boolean {
  if (sameOnlyByHead || file.sizeBytes !== position.offset || file.mtimeMs !== position.mtimeMs) return true
  return position.headBytes === 0 && file.sizeBytes > 0
}

interface Moves {
  readonly follow: readonly Followed[]
  readonly moved: readonly Followed[]
  readonly gone: readonly number[]
}

/** Known files that the pattern does not mean any more are looked for beside it: a rotation renamed them. */
async function findMoved(disk: LogDisk, input: SourceInput, plan: Plan): Promise<Moves> {
  const { nowMs, lastLookMs } = input
  const doubtful = plan.follow.filter(each => each.sameOnlyByHead).map(each => each.position)
  const found = new Map<number, FoundFile>()
  const siblings = createSiblings(disk, separatorOf(input), lastLookMs)
  for (const position of [...plan.lost, ...doubtful]) {
    const file = await siblings.find(position)
    if (file) found.set(position.id, file)
  }
  const moved = [...plan.lost, ...doubtful].flatMap(position => {
    const file = found.get(position.id)
    return file ? [{ file, position, sameOnlyByHead: false, moved: true as const }] : []
  })
  const done = ({ file, position }: Followed) =>
    file.sizeBytes === position.offset && nowMs - file.mtimeMs > MOVED_QUIET_MS
  return {
    // Its name has another file now, which is read from its start under a number of its own.
    follow: plan.follow.map(each => (found.has(each.position.id) && each.sameOnlyByHead ? renewed(each) : each)),
    moved: moved.filter(each => !done(each)),
    gone: [
      ...moved.filter(done).map(each => each.position.id),
      ...plan.lost.filter(each => !found.has(each.id) && lastLookMs - each.seenAtMs > FORGET_MS).map(each => each.id),
    ],
  }
}

function renewed({ file, position }: Followed): Followed {
  const fresh = { id: 0, identity: file.identity, headBytes: 0, headCrc: 0, offset: 0, skipping: false, encoding: null }
  return { file, position: { ...position, ...fresh, lastAtMs: null }, sameOnlyByHead: false }
}

/** What the system does not let us see is not where the file is found; it must not hold up the path. */
function nothingFor(error: unknown): undefined {
  if (systemCode(error) === undefined) throw error
}

/** Finds a file by its number where it was, or else in its folder; each folder is looked through once. */
function createSiblings(disk: LogDisk, separator: string, lastLookMs: number) {
  const folders = new Map<string, FoundFile[]>()

  async function look(folder: string): Promise<FoundFile[]> {
    const files: FoundFile[] = []
    for (const { name, kind } of (await disk.list(folder, MAX_SIBLINGS).catch(nothingFor)) ?? []) {
      const path = folder.endsWith(separator) ? folder + name : folder + separator + name
      const facts = kind === 'file' ? await disk.stat(path).catch(nothingFor) : undefined
      if (facts) files.push({ path, ...facts })
    }
    return files
  }

  return {
    async find({ path: before, identity, seenAtMs }: FilePosition): Promise<FoundFile | undefined> {
      if (identity === '' || lastLookMs - seenAtMs > MOVED_QUIET_MS) return undefined
      const there = await disk.stat(before).catch(nothingFor)
      if (there?.identity === identity) return { path: before, ...there }
      const folder = (separator === '\\' ? path.win32 : path.posix).dirname(before)
      const files = folders.get(folder) ?? (await look(folder))
      folders.set(folder, files)
      return files.find(file => file.identity === identity)
    },
  }
}

const separatorOf = ({ windows }: SourceInput): string => (windows ? '\\' : '/')

/** After a rotation the lines of the old file come before those of the new one, which has no number yet. */
const oldestFirst = (all: readonly Followed[]): Followed[] =>
  all.toSorted((a, b) => rank(a) - rank(b) || a.file.mtimeMs - b.file.mtimeMs)
const rank = ({ position }: Followed): number => position.id || Number.MAX_SAFE_INTEGER

function inTurn<T>(all: readonly T[], turn: number): T[] {
  const at = all.length === 0 ? 0 : turn % all.length
  return [...all.slice(at), ...all.slice(0, at)]
}
