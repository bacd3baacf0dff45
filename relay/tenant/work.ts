import { type Batch, MAX_SAMPLES_PER_REQUEST, type SinkDefinition } from '../sinks/sink.ts'
import type { DestinationMemory } from './destination-memory.ts'
import { NEWEST_MAX_AGE_MS, type Newest, newestPart, noteNewest } from './newest.ts'
import type { RowEntry } from './outbox.ts'
import { partsByHost, partsOf } from './parts.ts'
import type { Item } from './row.ts'
import { leaveOut, newTally, type Tally } from './tally.ts'

/** A request's worth of batches. */
export interface Part {
  readonly batches: readonly Batch[]
  /** The destination may hold it already: a reply was lost, or the relay came back with an older cursor. */
  readonly maybeStored: boolean
}

/** Rows taken in hand. The cursor moves past them when every part is settled. */
export interface Work {
  parts: readonly Part[]
  readonly cursorAfter: number
  readonly batches: number
  readonly tally: Tally
  bisected: number
  /** Answers of 500 in a row. */
  serverErrors: number
  /** The destination took a probe while it refused this: from here on a 500 is a refusal. */
  isPoison: boolean
}

/** What taking work needs to know of a destination. */
export interface Taker {
  readonly sink: SinkDefinition
  readonly memory: DestinationMemory
  /** For sinks that take only the newest; lost with the object, made again by the next snapshots. */
  readonly latest: Map<string, Newest>
}

export interface Opened {
  readonly items: readonly Item[]
  readonly batches: readonly Batch[]
}

/** The oldest rows as work, absent when there are none. `rows` are those from the cursor on. */
export function takeWork(
  taker: Taker,
  rows: readonly RowEntry[],
  open: (row: RowEntry) => Opened,
  now: number,
): Work | undefined {
  const [first] = rows
  if (!first) return undefined
  return taker.sink.takes === 'newest' ? newestWork(taker, rows, open, now) : allWork(taker, first, rows, open)
}

/**
 * Whole rows, as many as fit one request. While the destination may hold them already, one row at a time: a store that
 * takes a request whole or not at all then holds each row whole or not at all.
 */
function allWork(
  { sink, memory }: Taker,
  first: RowEntry,
  rows: readonly RowEntry[],
  open: (row: RowEntry) => Opened,
): Work {
  const maybeStored = first.seq < memory.uncertainBelow
  // A replay shares no request with what is live.
  const alone = maybeStored || first.destinationId !== undefined
  const taken: RowEntry[] = []
  let samples = 0
  for (const row of rows) {
    const apart = alone || row.destinationId !== undefined
    if (taken.length > 0 && (apart || samples + row.samples > MAX_SAMPLES_PER_REQUEST)) break
    taken.push(row)
    samples += row.samples
  }
  const batches = taken.flatMap(row => open(row).batches)
  const work = workOf(taken)
  const { fresh, older } = sink.strictOrder ? byOrder(batches, memory.newestMs) : { fresh: batches, older: [] }
  // Older than what is before the cursor, so lost here, also when the relay came back: it may have gone out in one
  // request with that, which nobody remembers, and then it is counted though it is held. Never the other way round.
  leaveOut(work.tally, older, 'order', sink)
  work.parts = partsOf(fresh).map(part => ({ batches: part, maybeStored }))
  return work
}

/** A host that goes back in time (a restored machine, a clock set back) must not void its neighbours' samples. */
export function byOrder(
  batches: readonly Batch[],
  newestOf: ReadonlyMap<string, number>,
): { readonly fresh: readonly Batch[]; readonly older: readonly Batch[] } {
  const fresh: Batch[] = []
  const older: Batch[] = []
  for (const whole of batches) {
    const newestMs = newestOf.get(whole.host.id)
    const batch = endingAfter(whole, newestMs)
    const anyOrder = batch.source === 'relay' || batch.replayed || newestMs === undefined
    const late = anyOrder ? [] : batch.snapshots.filter(({ atMs }) => atMs <= newestMs)
    if (late.length === 0) fresh.push(batch)
    else {
      fresh.push({ ...batch, snapshots: batch.snapshots.filter(one => !late.includes(one)) })
      older.push({ ...batch, snapshots: late, entries: [] })
    }
  }
  return { fresh, older }
}

/** A series ends after its last sample, also when the host's clock is ahead. */
function endingAfter(batch: Batch, newestMs: number | undefined): Batch {
  if (!batch.ended || newestMs === undefined || batch.ended.atMs > newestMs) return batch
  return { ...batch, ended: { ...batch.ended, atMs: newestMs + 1 } }
}

function newestWork({ latest }: Taker, rows: readonly RowEntry[], open: (row: RowEntry) => Opened, now: number): Work {
  const touched = new Set<string>()
  const oldestAtMs = now - NEWEST_MAX_AGE_MS
  for (const row of rows) {
    // Nothing in it can be new enough; only a removal counts however late it comes.
    if (row.atMs < oldestAtMs && !row.removal) continue
    const { items, batches } = open(row)
    for (const id of noteNewest(latest, items, batches)) touched.add(id)
  }
  const parts = [...touched].flatMap(id => {
    const batches = newestPart(latest.get(id), now)
    if (batches.some(({ removed }) => removed)) latest.delete(id)
    return partsByHost(batches)
  })
  const work = workOf(rows)
  work.parts = parts.map(batches => ({ batches, maybeStored: false }))
  return work
}

function workOf(rows: readonly RowEntry[]): Work {
  return {
    parts: [],
    cursorAfter: (rows.at(-1)?.seq ?? 0) + 1,
    batches: rows.reduce((sum, row) => sum + row.batches, 0),
    tally: newTally(),
    bisected: 0,
    serverErrors: 0,
    isPoison: false,
  }
}
