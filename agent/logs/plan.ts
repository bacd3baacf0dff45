import type { FilePosition, SourceState } from './position.ts'
import type { FoundFile } from './scan.ts'

/** A file to look at, and how far it was read. */
export interface Followed {
  readonly file: FoundFile
  /** `id` is 0 for one that is followed for the first time. */
  readonly position: FilePosition
  /** Another file took this one's name, or the volume has new numbers: only its first bytes say which. */
  readonly sameOnlyByHead: boolean
  /** It was renamed out of the path, and its writer goes on in another file. */
  readonly moved?: true
}

export interface Plan {
  readonly follow: readonly Followed[]
  /** Known files that are not where they were. */
  readonly lost: readonly FilePosition[]
  readonly source: SourceState
  /** Known files that another path has now. */
  readonly ceded: readonly number[]
  /** Files that were written lately and are not followed, because the newest ones already fill the bound. */
  readonly leftOut: number
}

export interface PlanInput {
  readonly path: string
  readonly known: readonly FilePosition[]
  readonly found: readonly FoundFile[]
  /** Absent when the path is looked at for the first time. */
  readonly source: SourceState | undefined
  readonly from: 'end' | 'start'
  /** Files that other paths have, or had before the configuration was changed. */
  readonly elsewhere: readonly FilePosition[]
  /** Numbers of files that are followed for a path named before this one. */
  readonly taken: ReadonlySet<string>
  /** How many files may be followed for this path. */
  readonly maxFiles: number
  readonly nowMs: number
}

/** Written within this time, a file that is not followed is a loss and not an old file. */
const LATELY_MS = 10 * 60_000

/**
 * Which of the files that are there are the ones known from before, under whatever name, and where the others begin: at
 * their end when the path is new (`from`), at their start later on, since they came while the path was followed.
 * The files written last are followed; of the older ones only the time is kept.
 */
export function planFiles(input: PlanInput): Plan {
  const { path, source, from, elsewhere, maxFiles, nowMs } = input
  const known = input.known.filter(each => !input.taken.has(each.identity))
  const found = onceEach(input)
  const newestFirst = found.toSorted((a, b) => b.mtimeMs - a.mtimeMs || a.path.localeCompare(b.path))
  const taken = newestFirst.slice(0, maxFiles)
  const passed = newestFirst.slice(maxFiles)
  const passedToMs = Math.max(source?.passedToMs ?? 0, ...passed.map(file => file.mtimeMs))
  const match = matcher(known, found)
  const startOf = (file: FoundFile): number => {
    if (source === undefined) return from === 'start' ? 0 : file.sizeBytes
    // An old file that is written again: what it had before was passed by already.
    return file.birthtimeMs > 0 && file.birthtimeMs <= source.passedToMs ? file.sizeBytes : 0
  }
  const follow = taken.flatMap((file): Followed[] => {
    const before = match(file)
    if (before) return [{ file, ...before }]
    if (source !== undefined && file.mtimeMs <= source.passedToMs) return []
    const other = elsewhere.find(each => each.identity !== '' && each.identity === file.identity)
    const position = other ? { ...other, id: 0, source: path } : newPosition(path, file, startOf(file), nowMs)
    return [{ file, position, sameOnlyByHead: false }]
  })
  const still = new Set(follow.map(({ position }) => position.id))
  const aside = new Set(passed.map(file => match(file)?.position.id))
  return {
    follow,
    lost: known.filter(({ id }) => !still.has(id) && !aside.has(id)),
    ceded: input.known.filter(each => input.taken.has(each.identity)).map(({ id }) => id),
    source: { path, passedToMs },
    leftOut: passed.filter(file => file.mtimeMs > nowMs - LATELY_MS).length,
  }
}

/** A file under two names, as `current.log` that links to the newest one, is one file; the name it is known by stays. */
function onceEach({ known, found, taken }: PlanInput): FoundFile[] {
  const names = new Set(known.map(each => each.path))
  const seen = new Set<string>(taken)
  return found
    .toSorted((a, b) => Number(names.has(b.path)) - Number(names.has(a.path)))
    .filter(({ identity }) => identity === '' || (!seen.has(identity) && seen.add(identity)))
}

/** By number first: a renamed file keeps it. By name where there are no numbers, or all of them changed. */
function matcher(known: readonly FilePosition[], found: readonly FoundFile[]) {
  const byIdentity = new Map(known.filter(each => each.identity !== '').map(each => [each.identity, each]))
  const byPath = new Map(known.map(each => [each.path, each]))
  const present = new Set(found.map(file => file.identity))
  return (file: FoundFile): Pick<Followed, 'position' | 'sameOnlyByHead'> | undefined => {
    const same = byIdentity.get(file.identity)
    if (same) return { position: same, sameOnlyByHead: false }
    const named = byPath.get(file.path)
    if (!named) return undefined
    if (named.identity === '' || file.identity === '') return { position: named, sameOnlyByHead: false }
    return present.has(named.identity) ? undefined : { position: named, sameOnlyByHead: true }
  }
}

export function newPosition(source: string, file: FoundFile, offset: number, nowMs: number): FilePosition {
  const { path, identity, mtimeMs } = file
  const head = { headBytes: 0, headCrc: 0 }
  const place = { offset: offset - (offset % 2), skipping: false }
  return { id: 0, source, path, identity, ...head, ...place, encoding: null, lastAtMs: null, mtimeMs, seenAtMs: nowMs }
}
