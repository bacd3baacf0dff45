import * as z from 'zod'
import type { FilePosition } from './position.ts'
import { type LogProblem, logProblem } from './problem.ts'
import type { FileReading } from './read.ts'
import type { SourceReading } from './source.ts'
import type { Tallies } from './tallies.ts'

/** What `status` and `doctor` show of a followed file. */
export const logFileView = z.object({
  path: z.string(),
  /** The configured path that it is followed for. */
  source: z.string(),
  /** How its bytes are read; null before anything was read. */
  encoding: z.string().nullable(),
  /** Up to here its lines are in the spool, bytes. */
  offset: z.number(),
  sizeBytes: z.number().nullable(),
  entriesSpooled: z.number(),
  entriesLeftOut: z.number(),
  bytesPassedOver: z.number(),
  /** Null when there is none. */
  problem: logProblem.nullable(),
})
export type LogFileView = z.output<typeof logFileView>

/** More files than a person looks through are not shown: those with problems come first, then those read last. */
const MAX_VIEWS = 50

export interface Views {
  see(reading: SourceReading, readings: readonly FileReading[], files: readonly FilePosition[]): void
  /** The path did not answer in time, or other paths that do not answer hold it up. */
  hang(source: string, itself: boolean): void
  move(files: readonly FilePosition[]): void
  keep(sources: ReadonlySet<string>): void
  readonly all: readonly LogFileView[]
}

export function createViews(tallies: Tallies): Views {
  /** Problems by source, then by path. */
  const problems = new Map<string, Map<string, LogProblem>>()
  const seen = new Map<number, { readonly encoding: string; readonly sizeBytes: number }>()
  let known: readonly FilePosition[] = []

  function viewOf(position: FilePosition): LogFileView {
    const { id, path, source, offset } = position
    const last = seen.get(id)
    const encoding = position.encoding ?? last?.encoding ?? null
    const problem = problems.get(source)?.get(path) ?? null
    return { path, source, encoding, offset, sizeBytes: last?.sizeBytes ?? null, ...tallies.of(id), problem }
  }

  /** A path that has no file of its own to show its problem at. */
  function pathView(source: string, path: string, problem: LogProblem): LogFileView {
    const nothing = { encoding: null, offset: 0, sizeBytes: null }
    return { path, source, ...nothing, ...tallies.of(0), problem }
  }

  return {
    see(reading, readings, files) {
      problems.set(reading.source, new Map(reading.problems.map(({ path, ...problem }) => [path, problem])))
      for (const { position, encoding, sizeBytes } of readings) seen.set(position.id, { encoding, sizeBytes })
      known = files
    },
    hang(source, itself) {
      problems.set(source, new Map([[source, { code: itself ? 'no_answer' : 'held_up', detail: '' }]]))
    },
    move(files) {
      known = files
    },
    keep(sources) {
      for (const source of problems.keys()) if (!sources.has(source)) problems.delete(source)
      const ids = new Set(known.map(each => each.id))
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id)
    },
    get all() {
      const files = known.map(viewOf)
      const shown = new Set(known.map(each => `${each.source}\n${each.path}`))
      const paths = [...problems].flatMap(([source, reasons]) =>
        [...reasons].flatMap(([path, problem]) =>
          shown.has(`${source}\n${path}`) ? [] : [pathView(source, path, problem)],
        ),
      )
      const newest = new Map(known.map(each => [each.path, each.mtimeMs]))
      return [...paths, ...files]
        .toSorted(
          (a, b) =>
            Number(b.problem !== null) - Number(a.problem !== null) ||
            (newest.get(b.path) ?? 0) - (newest.get(a.path) ?? 0),
        )
        .slice(0, MAX_VIEWS)
    },
  }
}
