import { gzipSync } from 'node:zlib'
import { type Entry, LIMITS } from '../../shared/wire.ts'
import type { SpoolItem } from '../spool/item.ts'
import type { FilePosition } from './position.ts'
import type { FileReading } from './read.ts'
import type { Step } from './select.ts'
import { cutText } from './text.ts'
import { isTooLate } from './time.ts'

/**
 * An item goes over the wire whole, and is cut to what a batch is cut to: an exchange with it stays under 16 KB, so
 * that no log line makes a batch that some route would never let pass.
 */
const ITEM_BYTES = 4 * 1024
const ITEM_JSON_BYTES = 128 * 1024

/** What an item took from one file. */
export interface Tally {
  readonly id: number
  readonly entries: number
  readonly leftOut: number
  readonly passedBytes: number
  /** An entry tells of all that was left out until here. */
  readonly told: boolean
}

/** An item to append, and what is true once it is on disk. */
export interface Parcel {
  readonly item: SpoolItem
  readonly tallies: readonly Tally[]
}

export interface PackInput {
  /** The item of this snapshot; entries are added to it while they fit. */
  readonly base: SpoolItem
  readonly readings: readonly FileReading[]
  /** Items that may be added to the base. */
  readonly moreItems: number
  /** Time of the newest entry of each level. */
  readonly newest: Readonly<Record<string, number>>
  readonly readAtMs: number
  readonly revision: number
  /** Positions that the state file has not heard of. */
  readonly unsaved: readonly FilePosition[]
}

interface Queued {
  readonly reading: FileReading
  readonly step: Step
  readonly index: number
}

/**
 * Items for the spool: the base with as many entries as fit, then more of them. Each says where its files are read on,
 * so that an item that is on disk and its positions are one. What does not fit stays in the files.
 */
export function packItems(input: PackInput): Parcel[] {
  const { base, readings, moreItems, readAtMs, unsaved } = input
  const newest = newestOf(input.newest, base.entries ?? [], readAtMs)
  const queue = readings.flatMap(reading => reading.steps.map((step, index): Queued => ({ reading, step, index })))
  const parcels: Parcel[] = []
  // The newest item alone is what a restart goes by: each repeats what those before it say.
  let files = unsaved
  let at = 0
  let { revision } = input
  for (let item = 0; item <= moreItems && (item === 0 || at < queue.length); item++) {
    const content: SpoolItem = item === 0 ? base : { atMs: base.atMs }
    const entries = fill(content, queue.slice(at), newest, readAtMs)
    const taken = queue.slice(at, at + entries.length)
    at += entries.length
    const silent = item === 0 ? readings.filter(reading => reading.steps.length === 0) : []
    const parts = [...progressOf(taken), ...silent.map(reading => finished(reading, reading.position.lastAtMs, []))]
    files = merge(files, parts)
    const all = [...(content.entries ?? []), ...entries]
    parcels.push({
      item: {
        ...content,
        ...(all.length > 0 && { entries: all }),
        ...(files.length > 0 && { logs: { revision: ++revision, files } }),
      },
      tallies: parts.map(({ tally }) => tally),
    })
  }
  return parcels
}

/** A clock that was ahead of this is right again, and what it said of streams was not so. */
const MAX_AHEAD_MS = 60_000

/** Times of the newest entry of each level, with these added. */
export function newestOf(
  before: Readonly<Record<string, number>>,
  entries: readonly Entry[],
  nowMs: number,
): Record<string, number> {
  const newest = Object.fromEntries(Object.entries(before).filter(([, atMs]) => atMs <= nowMs + MAX_AHEAD_MS))
  for (const { level, atMs } of entries) newest[level] = Math.max(newest[level] ?? 0, atMs)
  return newest
}

/** The entries, of those that wait, that this item takes; their levels' newest times move on with them. */
function fill(
  content: SpoolItem,
  waiting: readonly Queued[],
  newest: Record<string, number>,
  readAtMs: number,
): Entry[] {
  const room = LIMITS.entries - (content.entries?.length ?? 0)
  const entries: Entry[] = []
  let bytes = 0
  const ahead = { ...newest }
  for (const { step } of waiting.slice(0, Math.max(room, 0))) {
    const entry = inTime(step.entry, ahead[step.entry.level], readAtMs)
    bytes += Buffer.byteLength(JSON.stringify(entry))
    if (bytes > ITEM_JSON_BYTES && entries.length > 0) break
    entries.push(entry)
    ahead[entry.level] = Math.max(ahead[entry.level] ?? 0, entry.atMs)
  }
  const fitting = shrink(content, entries)
  Object.assign(newest, newestOf(newest, fitting, readAtMs))
  return fitting
}

/** Behind the newest of its stream by so much that Loki would refuse it, an entry gets the time of now and keeps its own as a field. */
function inTime(entry: Entry, newestMs: number | undefined, readAtMs: number): Entry {
  if (!isTooLate(entry.atMs, newestMs)) return entry
  return { ...entry, atMs: readAtMs, fields: { ...entry.fields, time: new Date(entry.atMs).toISOString() } }
}

function shrink(content: SpoolItem, entries: readonly Entry[]): Entry[] {
  const size = (some: readonly Entry[]) => packedBytes({ ...content, entries: [...(content.entries ?? []), ...some] })
  let count = entries.length
  while (count > 0) {
    const bytes = size(entries.slice(0, count))
    if (bytes <= ITEM_BYTES) return entries.slice(0, count)
    count = Math.min(Math.floor((count * ITEM_BYTES) / bytes), count - 1)
  }
  const [first] = entries
  // Beside a snapshot it may wait for an item of its own; there it must fit.
  if (!first || content.snapshot || content.backups || content.entries) return []
  return [cutToFit(first, entry => size([entry]))]
}

function cutToFit(entry: Entry, size: (entry: Entry) => number): Entry {
  let cut = entry
  for (let maxBytes = Buffer.byteLength(entry.message); size(cut) > ITEM_BYTES && maxBytes > 64; ) {
    maxBytes = Math.floor(maxBytes * Math.min(ITEM_BYTES / size(cut), 0.9))
    cut = { ...entry, message: cutText(entry.message, maxBytes) }
  }
  return size(cut) <= ITEM_BYTES ? cut : { ...cut, fields: { file: cut.fields?.file ?? '' } }
}

/** Compressed, as a batch would carry it. */
function packedBytes({ snapshot, backups, entries }: SpoolItem): number {
  return gzipSync(JSON.stringify({ snapshot, backups, entries })).length
}

interface Part {
  readonly position: FilePosition
  readonly tally: Tally
}

function progressOf(taken: readonly Queued[]): Part[] {
  return [...new Set(taken.map(each => each.reading))].map(reading => {
    const queued = taken.filter(each => each.reading === reading)
    const last = queued.at(-1)
    const steps = queued.map(({ step }) => step)
    const lastAtMs = steps.findLast(step => !step.notice)?.entry.atMs ?? reading.position.lastAtMs
    if (last && last.index === reading.steps.length - 1) return finished(reading, lastAtMs, queued)
    const { offset = reading.position.offset, skipping = reading.position.skipping } = last?.step.place ?? {}
    return part(reading, { offset, skipping, lastAtMs }, queued, 0)
  })
}

function finished(reading: FileReading, lastAtMs: number | null, queued: readonly Queued[]): Part {
  return part(reading, { ...reading.end, lastAtMs }, queued, reading.leftOut)
}

function part(
  reading: FileReading,
  to: Pick<FilePosition, 'offset' | 'skipping' | 'lastAtMs'>,
  queued: readonly Queued[],
  tail: number,
): Part {
  const steps = queued.map(({ step }) => step)
  const leftOut = steps.reduce((sum, step) => sum + step.leftOut, tail)
  // What is passed over comes before the first step.
  const passedBytes = queued[0] === undefined || queued[0].index === 0 ? reading.passedBytes : 0
  const told = steps.some(step => step.notice)
  const entries = steps.filter(step => !step.notice).length
  return {
    position: { ...reading.position, ...to },
    tally: { id: reading.position.id, entries, leftOut, passedBytes, told },
  }
}

function merge(before: readonly FilePosition[], parts: readonly Part[]): FilePosition[] {
  return [...new Map([...before, ...parts.map(({ position }) => position)].map(each => [each.id, each])).values()]
}
