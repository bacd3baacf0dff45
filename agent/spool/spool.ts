import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { systemCode } from '../error.ts'
import type { SpoolFiles } from './files.ts'
import {
  addLoss,
  type Behind,
  countSnapshots,
  decodeItem,
  encodeItem,
  type FixedBatch,
  type Loss,
  lossOf,
  NO_LOSS,
  type SpoolItem,
} from './item.ts'
import { sizeOfRecord } from './record.ts'
import { type IndexedRecord, openSegments } from './segments.ts'
import { openSlots } from './slots.ts'
import { countGaps, newSpoolState, type SpoolState, spoolState } from './state.ts'

export interface SpoolOptions {
  readonly files: SpoolFiles
  readonly directory: string
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** How many of these items, the oldest that wait, make one batch; at least 1. */
  readonly cut: (items: readonly SpoolItem[]) => number
  /** A random id of 96 bits; tests pass their own. */
  readonly newId?: () => string
}

/**
 * The agent's queue on disk. Items go in at one end and come out as batches at the other, oldest first; what `append`
 * took and `settle` did not take out survives a kill at any instant. Bounded by bytes and age: the oldest go first and
 * are counted.
 */
export interface Spool {
  readonly id: string
  /** Snapshots lost since the spool was made; those of a batch given up on its way once its attempt has ended. */
  readonly dropped: number
  /** Entries that were lost so. Those that the disk refused are not: they wait where they came from. */
  readonly droppedEntries: number
  /** The files of backup reports that waiting items were made from. */
  readonly reports: readonly string[]
  /** The newest word of waiting items on how far log files were read; absent when none has any. */
  readonly logs: SpoolItem['logs']
  /** On disk, what is already shipped and not yet removed included. */
  readonly sizeBytes: number
  /** Durable when it returns true. False: the disk refused it (see `problem`), and a snapshot in it counts as dropped. */
  append(item: SpoolItem, nowMs: number): boolean
  /** Why the last `append` was refused; absent when it was not. */
  readonly problem: string | undefined
  /** The batch to ship now, the same until it is settled; absent when nothing waits. Throws the system's error. */
  nextBatch(): FixedBatch | undefined
  /** What waits beside the batch of this id; `oldestAtMs` is null when nothing does. */
  behind(batchId: string): Behind
  /**
   * The batch of this id is stored or set aside: its items are done with, also when a bound gave it up on its way. Any
   * other id changes nothing.
   */
  settle(batchId: string): void
  /** Counts what was lost after it had left the spool. */
  countDropped(loss: Loss): void
  close(): void
}

/** What the index in memory knows of an item. */
interface Tag {
  readonly atMs: number
  readonly loss: Loss
  readonly reports: readonly string[]
  readonly logs: boolean
}

/** As many as the relay takes in one batch; an item has at most one. */
const MAX_BATCH_ITEMS = 120
const MAX_SEGMENT_BYTES = 256 * 1024

export function openSpool(options: SpoolOptions): Spool {
  const { files, directory, maxBytes, maxAgeMs, cut } = options
  const newId = options.newId ?? (() => randomBytes(12).toString('base64url'))
  const segments = openSegments<Tag>({
    files,
    directory,
    segmentBytes: Math.min(MAX_SEGMENT_BYTES, Math.ceil(maxBytes / 8)),
    tag: payload => tagOf(decodeItem(payload)),
  })
  const slots = openSlots(files, path.join(directory, 'state'))
  const stored = spoolState.safeParse(slots.value)
  let state: SpoolState = stored.success ? stored.data : newSpoolState(newId())
  let problem: string | undefined

  /** Moves on in memory only with the disk. */
  function save(next: SpoolState): void {
    slots.write(next)
    state = next
  }

  /** For what may be forgotten by a crash without harm: a counter, or a batch that would be sent once more. */
  function saveIfPossible(next: SpoolState): boolean {
    try {
      save(next)
      return true
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      state = next
      return false
    }
  }

  const counting = ({ snapshots, entries }: Loss) => ({
    dropped: state.dropped + snapshots,
    droppedEntries: state.droppedEntries + entries,
  })

  const waiting = (): IndexedRecord<Tag>[] => [...segments.records(state.doneTo)]

  function recover(): void {
    const numbers = [...segments.records(0)].map(record => record.number)
    // A new state beside old records: they are numbered on, and all of them wait.
    const doneTo = stored.success ? state.doneTo : Math.max((numbers[0] ?? 1) - 1, 0)
    const lost = countGaps(Math.max(doneTo, state.gapsCountedTo), numbers)
    const gapsCountedTo = lost > 0 ? segments.newest : state.gapsCountedTo
    save({ ...state, doneTo, dropped: state.dropped + lost, gapsCountedTo })
    countGivenUp()
    segments.removeThrough(state.doneTo)
  }

  /** Its attempt is over, and nobody said that it is stored. */
  function countGivenUp(): void {
    const { givenUp } = state
    if (givenUp) saveIfPossible({ ...state, ...counting(givenUp), givenUp: null })
  }

  function drop(records: readonly IndexedRecord<Tag>[]): void {
    const lost = records.filter(record => record.number > state.doneTo)
    const last = Math.max(state.doneTo, records.at(-1)?.number ?? 0)
    const cut = state.batch && state.batch.first <= last ? state.batch : null
    const taken = cut ? { id: cut.id, first: cut.first, last: cut.last, ...NO_LOSS } : (state.givenUp ?? null)
    const isTaken = ({ number }: IndexedRecord<Tag>) => taken !== null && number >= taken.first && number <= taken.last
    const certain = lossOfRecords(lost.filter(record => !isTaken(record)))
    const givenUp = taken && { ...taken, ...addLoss(taken, lossOfRecords(lost.filter(isTaken))) }
    saveIfPossible({ ...state, ...counting(certain), doneTo: last, batch: cut ? null : state.batch, givenUp })
  }

  function keepBounds(nowMs: number, bytes: number): void {
    const records = waiting()
    const firstYoung = records.findIndex(record => record.tag.atMs >= nowMs - maxAgeMs)
    const old = firstYoung < 0 ? records : records.slice(0, firstYoung)
    if (old.length > 0) {
      drop(old)
      segments.removeThrough(state.doneTo)
    }
    while (segments.sizeBytes > 0 && segments.sizeBytes + bytes > maxBytes) drop(segments.dropOldest())
  }

  const nextNumber = (): number => Math.max(segments.newest, state.doneTo) + 1

  function write(item: SpoolItem, payload: Buffer): void {
    try {
      segments.append(nextNumber(), payload, tagOf(item))
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      // A full disk: give back what is done with, and write over it when nothing else is there.
      segments.removeThrough(state.doneTo)
      if (waiting().length > 0) throw error
      const number = nextNumber()
      segments.rewind()
      segments.append(number, payload, tagOf(item))
    }
  }

  function form(): FixedBatch | undefined {
    for (;;) {
      const records = waiting().slice(0, MAX_BATCH_ITEMS)
      const [first] = records
      if (!first) return undefined
      const payloads = segments.read(first.number, records.at(-1)?.number ?? first.number)
      if (payloads.length < records.length) {
        dropDamaged(records)
        continue
      }
      const taken = payloads.slice(0, Math.max(cut(payloads.map(decodeItem)), 1))
      const last = records[taken.length - 1]?.number ?? first.number
      const checksum = checksumOf(taken)
      const batch = { id: newId(), seq: state.nextSeq, first: first.number, last, records: taken.length, checksum }
      save({ ...state, nextSeq: state.nextSeq + 1, batch })
      return { id: batch.id, seq: batch.seq, items: taken.map(decodeItem) }
    }
  }

  /** Records that were whole when the spool was opened and are not any more. */
  function dropDamaged(records: readonly IndexedRecord<Tag>[]): void {
    const damaged = records.filter(record => segments.read(record.number, record.number).length === 0)
    segments.forget(new Set(damaged.map(record => record.number)))
    const gapsCountedTo = Math.max(state.gapsCountedTo, damaged.at(-1)?.number ?? 0)
    saveIfPossible({ ...state, ...counting(lossOfRecords(damaged)), gapsCountedTo })
  }

  recover()
  return {
    get id() {
      return state.id
    },
    get dropped() {
      return state.dropped
    },
    get droppedEntries() {
      return state.droppedEntries
    },
    get problem() {
      return problem
    },
    get reports() {
      return waiting().flatMap(record => record.tag.reports)
    },
    get logs() {
      const newest = waiting().findLast(record => record.tag.logs)
      const [payload] = newest ? segments.read(newest.number, newest.number) : []
      return payload && decodeItem(payload).logs
    },
    get sizeBytes() {
      return segments.sizeBytes
    },
    append(item, nowMs) {
      const payload = encodeItem(item)
      keepBounds(nowMs, sizeOfRecord(payload))
      try {
        write(item, payload)
        problem = undefined
        return true
      } catch (error) {
        const code = systemCode(error)
        if (code === undefined) throw error
        problem = code
        saveIfPossible({ ...state, dropped: state.dropped + countSnapshots([item]) })
        return false
      }
    },
    nextBatch() {
      countGivenUp()
      const { batch } = state
      if (!batch) return form()
      const payloads = segments.read(batch.first, batch.last)
      if (payloads.length === batch.records && checksumOf(payloads) === batch.checksum)
        return { id: batch.id, seq: batch.seq, items: payloads.map(decodeItem) }
      // Never other content under the same id: the relay may hold the first.
      save({ ...state, batch: null })
      return form()
    },
    behind(batchId) {
      const { batch } = state
      const rest = [...segments.records(batch?.id === batchId ? batch.last : state.doneTo)]
      return { batches: Math.ceil(rest.length / (batch?.records ?? 1)), oldestAtMs: rest[0]?.tag.atMs ?? null }
    },
    settle(batchId) {
      const { batch, givenUp } = state
      if (givenUp?.id === batchId) {
        const doneTo = Math.max(state.doneTo, givenUp.last)
        if (saveIfPossible({ ...state, doneTo, givenUp: null })) segments.removeThrough(doneTo)
        return
      }
      if (batch?.id !== batchId) return
      // Not on disk: the batch would be sent once more under its id, so its records must stay.
      if (saveIfPossible({ ...state, doneTo: batch.last, batch: null })) segments.removeThrough(batch.last)
    },
    countDropped(loss) {
      saveIfPossible({ ...state, ...counting(loss) })
    },
    close() {
      segments.close()
      slots.close()
    },
  }
}

const lossOfRecords = (records: readonly IndexedRecord<Tag>[]): Loss =>
  records.reduce((sum, record) => addLoss(sum, record.tag.loss), NO_LOSS)

const checksumOf = (payloads: readonly Buffer[]): number => payloads.reduce((crc, payload) => crc32(payload, crc), 0)

function tagOf(item: SpoolItem): Tag {
  return {
    atMs: item.atMs,
    loss: lossOf([item]),
    reports: item.reports ?? [],
    logs: item.logs !== undefined,
  }
}
