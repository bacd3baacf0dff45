import type { Outcome } from '../../shared/outcome.ts'
import { type Batch, MAX_SAMPLES_PER_REQUEST, type OutboundRequest, type SinkDefinition } from '../sinks/sink.ts'
import { afterAnswer, afterFailure, type DestinationMemory, mayTry } from './destination-memory.ts'
import { NEWEST_MAX_AGE_MS, type Newest, newestPart, noteNewest } from './newest.ts'
import type { RowEntry } from './outbox.ts'
import { bisect, partsByHost, partsOf, samplesIn } from './parts.ts'
import type { Item } from './row.ts'

/** Requests that a search inside hosts for what is at fault may cost; what is left is then dead-lettered whole. */
const MAX_BISECTING_REQUESTS = 32

/**
 * Answers of 500 in a row after which the request itself is suspected: Prometheus 2.42 answers so to some that it will
 * never take (duplicate labels; too old within an out-of-order window).
 */
const SUSPECT_AFTER_FAILURES = 5

/** A request's worth of batches. */
interface Part {
  readonly batches: readonly Batch[]
  /** The destination may hold it already: a reply was lost, or the relay came back with an older cursor. */
  readonly maybeStored: boolean
}

/** Rows taken in hand. The cursor moves past them when every part is settled. */
interface Work {
  parts: readonly Part[]
  readonly cursorAfter: number
  readonly batches: number
  bisected: number
  /** Answers of 500 in a row. */
  serverErrors: number
  /** The destination took a probe while it refused this: from here on a 500 is a refusal. */
  isPoison: boolean
}

/** A destination with its settings opened. One pump at a time works on it. */
export interface OpenDestination {
  readonly id: string
  readonly name: string
  readonly sink: SinkDefinition
  readonly settings: Readonly<Record<string, unknown>>
  /** What the next checkpoint stores. */
  memory: DestinationMemory
  work: Work | undefined
  /** For sinks that take only the newest; lost with the object, made again by the next snapshots. */
  readonly latest: Map<string, Newest>
  /** Removed or replaced: what its pump still has in flight must change nothing. */
  closed: boolean
}

/** A part that a destination will never take. */
export interface Refused {
  readonly destination: OpenDestination
  readonly batches: readonly Batch[]
  readonly samples: number
  readonly reason: string
}

export interface PumpPorts {
  now(): number
  /** In [0, 1): spreads back-offs. */
  random(): number
  /** Drops what is too old or too much: a slow destination is never idle, and must not fill the outbox for all. */
  enforceBudget(destination: OpenDestination): void
  rowsFrom(seq: number): readonly RowEntry[]
  open(row: RowEntry): { readonly items: readonly Item[]; readonly batches: readonly Batch[] }
  send(destination: OpenDestination, request: OutboundRequest): Promise<Outcome>
  /** Sends the relay's own samples, which nothing can be wrong with. */
  probe(destination: OpenDestination): Promise<Outcome>
  deadLetter(refused: Refused): void
  /** Something a person should see: what and why. */
  note(destination: OpenDestination, kind: 'suspended' | 'partial' | 'resumed', message: string): void
}

/**
 * Delivers what is after a destination's cursor, oldest first, one request in flight, until nothing is left or the
 * destination has to wait. Resolves to what it delivered; everything that must outlive the object is in
 * `destination.memory`, for the next checkpoint.
 */
export async function pump(destination: OpenDestination, ports: PumpPorts): Promise<number> {
  let delivered = 0
  while (!destination.closed && mayTry(destination.memory, ports.now())) {
    if (!destination.work) {
      ports.enforceBudget(destination)
      destination.work = takeWork(destination, ports)
    }
    const { work } = destination
    if (!work) break
    const [part] = work.parts
    if (!part) {
      finish(destination, work)
      continue
    }
    const request = destination.sink.encode(part.batches, destination.settings)
    if (!request) {
      // Nothing in it concerns this sink, and nobody was asked: it says nothing of the destination.
      destination.memory = withoutRemoved(destination.memory, part.batches)
      work.parts = work.parts.slice(1)
      continue
    }
    const outcome = await judge(destination, work, await ports.send(destination, request), ports)
    if (destination.closed) break
    if (outcome.kind === 'delivered') delivered += request.samples
    settle(destination, work, part, outcome, request.samples, ports)
  }
  return delivered
}

/** Tells a poison request from an outage, when all that the other side says is 500. */
async function judge(destination: OpenDestination, work: Work, outcome: Outcome, ports: PumpPorts): Promise<Outcome> {
  if (outcome.kind !== 'retry' || outcome.status !== 500) {
    work.serverErrors = 0
    return outcome
  }
  work.serverErrors += 1
  if (!work.isPoison) {
    if (work.serverErrors < SUSPECT_AFTER_FAILURES) return outcome
    work.isPoison = (await ports.probe(destination)).kind === 'delivered'
  }
  return work.isPoison ? { kind: 'rejected', reason: outcome.reason, alreadyHeld: false } : outcome
}

function finish(destination: OpenDestination, work: Work): void {
  const { memory } = destination
  destination.memory = {
    ...memory,
    cursor: work.cursorAfter,
    deliveredBatches: memory.deliveredBatches + work.batches,
  }
  destination.work = undefined
}

function takeWork(destination: OpenDestination, ports: PumpPorts): Work | undefined {
  const rows = ports.rowsFrom(destination.memory.cursor)
  const [first] = rows
  if (!first) return undefined
  return destination.sink.takes === 'newest'
    ? newestWork(destination, rows, ports)
    : allWork(destination, first, rows, ports)
}

/**
 * Whole rows, as many as fit one request. While the destination may hold them already, one row at a time: a store that
 * takes a request whole or not at all then holds each row whole or not at all.
 */
function allWork(destination: OpenDestination, first: RowEntry, rows: readonly RowEntry[], ports: PumpPorts): Work {
  const maybeStored = first.seq < destination.memory.uncertainBelow
  const taken: RowEntry[] = []
  let samples = 0
  for (const row of rows) {
    if (taken.length > 0 && (maybeStored || samples + row.samples > MAX_SAMPLES_PER_REQUEST)) break
    taken.push(row)
    samples += row.samples
  }
  const batches = taken.flatMap(row => ports.open(row).batches)
  const fresh = destination.sink.strictOrder
    ? batches.map(batch => notYetDelivered(batch, destination.memory))
    : batches
  // What may be stored already is left out because it is; anything else is lost here, and counted.
  const droppedSamples = maybeStored ? 0 : samplesIn(batches) - samplesIn(fresh)
  if (droppedSamples > 0)
    destination.memory = {
      ...destination.memory,
      droppedSamples: destination.memory.droppedSamples + droppedSamples,
    }
  return {
    parts: partsOf(fresh).map(part => ({ batches: part, maybeStored })),
    cursorAfter: (taken.at(-1) ?? first).seq + 1,
    batches: taken.reduce((sum, row) => sum + row.batches, 0),
    bisected: 0,
    serverErrors: 0,
    isPoison: false,
  }
}

/** A host that goes back in time (a restored machine, a clock set back) must not void its neighbours' samples. */
function notYetDelivered(batch: Batch, memory: DestinationMemory): Batch {
  const newestMs = memory.newestMs.get(batch.host.id)
  if (batch.source === 'relay' || newestMs === undefined) return batch
  const snapshots = batch.snapshots.filter(({ atMs }) => atMs > newestMs)
  return snapshots.length === batch.snapshots.length ? batch : { ...batch, snapshots }
}

function newestWork(destination: OpenDestination, rows: readonly RowEntry[], ports: PumpPorts): Work {
  const touched = new Set<string>()
  const oldestAtMs = ports.now() - NEWEST_MAX_AGE_MS
  for (const row of rows) {
    // Nothing in it can be new enough; only a removal counts however late it comes.
    if (row.atMs < oldestAtMs && !row.removal) continue
    const { items, batches } = ports.open(row)
    for (const id of noteNewest(destination.latest, items, batches)) touched.add(id)
  }
  const parts = [...touched].flatMap(id => {
    const batches = newestPart(destination.latest.get(id), ports.now())
    if (batches.some(({ removed }) => removed)) destination.latest.delete(id)
    return partsByHost(batches)
  })
  return {
    parts: parts.map(batches => ({ batches, maybeStored: false })),
    cursorAfter: (rows.at(-1)?.seq ?? 0) + 1,
    batches: rows.reduce((sum, row) => sum + row.batches, 0),
    bisected: 0,
    serverErrors: 0,
    isPoison: false,
  }
}

/** Acts on the outcome of the first part. */
function settle(
  destination: OpenDestination,
  work: Work,
  part: Part,
  outcome: Outcome,
  samples: number,
  ports: PumpPorts,
): void {
  const rest = work.parts.slice(1)
  switch (outcome.kind) {
    case 'delivered':
    case 'partial':
      if (outcome.kind === 'partial') ports.note(destination, 'partial', outcome.reason)
      answered(destination, ports)
      // How much of a partial one was taken, nobody says: it is in the event, and not counted as delivered.
      destination.memory = afterDelivery(
        destination.memory,
        part.batches,
        outcome.kind === 'delivered' ? samples : 0,
        ports.now(),
      )
      work.parts = rest
      return
    case 'retry':
      work.parts = [{ ...part, maybeStored: part.maybeStored || outcome.mayBeStored }, ...rest]
      putOff(destination, outcome, ports)
      return
    case 'suspended':
      if (destination.memory.state !== 'suspended') ports.note(destination, 'suspended', outcome.reason)
      putOff(destination, outcome, ports)
      return
    case 'rejected':
      answered(destination, ports)
      work.parts = [...settleRejected(destination, work, part, outcome, samples, ports), ...rest]
  }
}

function putOff(
  destination: OpenDestination,
  outcome: Extract<Outcome, { kind: 'retry' | 'suspended' }>,
  ports: PumpPorts,
): void {
  destination.memory = afterFailure(destination.memory, outcome, ports.now(), ports.random())
  // By the next attempt something else is the newest: it is looked up again.
  if (destination.sink.takes === 'newest') destination.work = undefined
}

/** What is to be sent instead of a refused part; nothing when it was dead-lettered or is held already. */
function settleRejected(
  destination: OpenDestination,
  work: Work,
  part: Part,
  outcome: Extract<Outcome, { kind: 'rejected' }>,
  samples: number,
  ports: PumpPorts,
): readonly Part[] {
  const held = outcome.alreadyHeld && part.maybeStored
  const oneHost = partsByHost(part.batches).length === 1
  // A part of a host's newest would take the place of the whole. Splitting by host is bounded by the hosts, splitting
  // what may be held by its snapshots; only the search for a poison snapshot has a bound of its own.
  const mayCut = destination.sink.takes === 'all' && (held || !oneHost || work.bisected < MAX_BISECTING_REQUESTS)
  const halves = mayCut ? bisect(part.batches) : undefined
  if (halves) {
    if (!held && oneHost) work.bisected += halves.length
    return halves.map(batches => ({ batches, maybeStored: part.maybeStored }))
  }
  if (held) {
    const { memory } = destination
    destination.memory = {
      ...afterDelivery(memory, part.batches, 0, ports.now()),
      unconfirmedBatches: memory.unconfirmedBatches + part.batches.length,
    }
    return []
  }
  ports.deadLetter({ destination, batches: part.batches, samples, reason: outcome.reason })
  destination.memory = { ...destination.memory, deadLetters: destination.memory.deadLetters + 1 }
  return []
}

function answered(destination: OpenDestination, ports: PumpPorts): void {
  if (destination.memory.state === 'suspended')
    ports.note(destination, 'resumed', `It answers again; it was suspended: ${destination.memory.reason ?? 'unknown'}`)
  destination.memory = afterAnswer(destination.memory)
}

function afterDelivery(
  memory: DestinationMemory,
  batches: readonly Batch[],
  samples: number,
  now: number,
): DestinationMemory {
  const newestMs = new Map(withoutRemoved(memory, batches).newestMs)
  for (const { source, host, snapshots } of batches) {
    if (source === 'relay') continue
    const atMs = snapshots.reduce((newest, snapshot) => Math.max(newest, snapshot.atMs), newestMs.get(host.id) ?? 0)
    if (atMs > 0) newestMs.set(host.id, atMs)
  }
  return { ...memory, newestMs, deliveredSamples: memory.deliveredSamples + samples, lastDeliveredAtMs: now }
}

/** A removed host needs no order any more. */
function withoutRemoved(memory: DestinationMemory, batches: readonly Batch[]): DestinationMemory {
  const gone = new Set(batches.filter(({ removed }) => removed).map(({ host }) => host.id))
  if (gone.size === 0) return memory
  return { ...memory, newestMs: new Map([...memory.newestMs].filter(([id]) => !gone.has(id))) }
}
