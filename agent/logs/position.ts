import * as z from 'zod'
import { LOG_ENCODINGS } from '../../shared/host-config.ts'

const count = z.int().min(0)

/** One file that is followed, and how far its lines are in the spool. */
export const filePosition = z.object({
  /** Its own number for as long as it is known, whatever its name. */
  id: count,
  /** `path` of the configuration that it is followed for. */
  source: z.string(),
  path: z.string(),
  /** Volume and file number; empty on a file system that has none. */
  identity: z.string(),
  /** Length and CRC-32 of its first bytes: another file under the same number is seen by them. */
  headBytes: count,
  headCrc: count,
  offset: count,
  /** What comes at `offset` is the rest of a line that was cut. */
  skipping: z.boolean(),
  /** Once it is certain. */
  encoding: z.enum(LOG_ENCODINGS).nullable(),
  /** Time of its newest entry. */
  lastAtMs: z.int().nullable(),
  /** When it was last written, by the file system. */
  mtimeMs: z.number(),
  /** When it was last found. */
  seenAtMs: z.int(),
})
export type FilePosition = z.output<typeof filePosition>

/** What an item of the spool says of the files that its entries come from. */
export interface LogProgress {
  /** Grows with every item: the state file knows up to which it has heard. */
  readonly revision: number
  readonly files: readonly FilePosition[]
}

/** What is remembered of one configured path beside its files. */
export const sourceState = z.object({
  path: z.string(),
  /** Files that are not known and were last written before this are old ones. */
  passedToMs: z.number(),
})
export type SourceState = z.output<typeof sourceState>

export const followState = z.object({
  revision: count,
  nextId: count,
  files: z.array(filePosition),
  sources: z.array(sourceState),
  /** Time of the newest entry of each level. */
  newest: z.record(z.string(), z.int()),
})
export type FollowState = z.output<typeof followState>

export const EMPTY_STATE: FollowState = { revision: 0, nextId: 1, files: [], sources: [], newest: {} }
