import type { Outcome } from '../../shared/outcome.ts'
import { type Batch, MAX_SAMPLES_PER_REQUEST, type OutboundRequest, type SinkDefinition } from '../sinks/sink.ts'
import { afterAnswer, afterFailure, type DestinationMemory, mayTry } from './destination-memory.ts'
import type { Newest } from './newest.ts'
import type { RowEntry } from './outbox.ts'
import { bisect, carriedBy, partsByHost } from './parts.ts'
import { leaveOut, newestAfter, withTally } from './tally.ts'
import { horizonMs, withinWindow } from './window.ts'
import { byOrder, type Opened, type Part, takeWork, type Work } from './work.ts'

/** Requests that a search inside hosts for what is at fault may cost; what is left is then dead-lettered whole. */
const MAX_BISECTING_REQUESTS = 32

/**
 * Answers of 500 in a row after which the request itself is suspected: Prometheus 2.42 answers so to some that it will
 * never take (duplicate labels).
 */
const SUSPECT_AFTER_FAILURES = 5

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
  open(row: RowEntry, destination: OpenDestination): Opened
  send(destination: OpenDestination, request: OutboundRequest): Promise<Outcome>
  /** Sends the relay's own samples, which nothing can be wrong with. */
  probe(destination: OpenDestination): Promise<Outcome>
  /** Answers how many dead letters that made. */
  deadLetter(refused: Refused): number
  /** Something a person should see: what and why. */
  note(destination: OpenDestination, kind: 'suspended' | 'partial' | 'resumed' | 'too_old', message: string): void
}

/**
 * Delivers what is after a destination's cursor, oldest first, one request in flight, until nothing is left that was
 * there when it began, or the destination has to wait. What comes meanwhile waits for a flush of its own, so that hosts
 * share requests also while posts never cease, unless it fills a request. Resolves to what it delivered; everything that must outlive the object is in
 * `destination.memory`, for the next checkpoint.
 */
export async function pump(destination: OpenDestination, ports: PumpPorts): Promise<number> {
  let delivered = 0
  const lastSeq = ports.rowsFrom(destination.memory.cursor).at(-1)?.seq ?? -1
  while (!destination.closed && mayTry(destination.memory, ports.now())) {
    if (!destination.work) {
      ports.enforceBudget(destination)
      const rows = ports.rowsFrom(destination.memory.cursor)
      if ((rows[0]?.seq ?? 0) > lastSeq && !fillsRequest(rows)) break
      destination.work = takeWork(destination, rows, row => ports.open(row, destination), ports.now())
    }
    const { work } = destination
    if (!work) break
    const [part] = work.parts
    if (!part) {
      finish(destination, work, ports)
      continue
    }
    const young = sendable(destination, work, part, ports.now())
    const request = destination.sink.encode(young.batches, destination.settings)
    if (!request) {
      // Nothing in it concerns this sink, and nobody was asked: it says nothing of the destination.
      work.tally.taken.push(...young.batches.filter(({ removed }) => removed))
      work.parts = work.parts.slice(1)
      continue
    }
    const outcome = await judge(destination, work, await ports.send(destination, request), ports)
    if (destination.closed) break
    if (outcome.kind === 'delivered') delivered += request.samples
    settle(destination, work, young, outcome, request.samples, ports)
  }
  return delivered
}

function fillsRequest(rows: readonly RowEntry[]): boolean {
  let samples = 0
  return rows.some(row => {
    samples += row.samples
    return samples >= MAX_SAMPLES_PER_REQUEST
  })
}

/** Gives up what is in hand: the cursor moves past it. Answers what of it was not settled: samples, or log entries. */
export function abandon(destination: OpenDestination, work: Work, ports: Pick<PumpPorts, 'deadLetter'>): number {
  const left = work.parts.reduce((sum, { batches }) => sum + carriedBy(batches, destination.sink), 0)
  conclude(destination, work, ports)
  return left
}

function finish(destination: OpenDestination, work: Work, ports: PumpPorts): void {
  conclude(destination, work, ports)
  const { memory } = destination
  destination.memory = { ...memory, deliveredBatches: memory.deliveredBatches + work.batches }
}

/** The cursor, the counters and the dead letters in one step: the next checkpoint has all of them or none. */
function conclude(destination: OpenDestination, work: Work, ports: Pick<PumpPorts, 'deadLetter'>): void {
  const letters = work.tally.refused.reduce((sum, one) => sum + ports.deadLetter({ destination, ...one }), 0)
  const memory = withTally(destination.memory, work.tally)
  destination.memory = { ...memory, deadLetters: memory.deadLetters + letters, cursor: work.cursorAfter }
  destination.work = undefined
}

/**
 * The first part as it is to be sent now: at every attempt more of it may have become too old, or come after a newer part
 * of the same work (two machines with one token).
 */
function sendable(destination: OpenDestination, work: Work, part: Part, now: number): Part {
  const { sink, settings, memory } = destination
  // Of a replay the destination itself says whether it takes it.
  if (part.batches.some(({ replayed }) => replayed)) return part
  const { kept, old } = withinWindow(part.batches, horizonMs(memory, sink.windowMs?.(settings), now))
  const isFirst = !sink.strictOrder || work.tally.taken.length === 0
  const { fresh, older } = isFirst
    ? { fresh: kept, older: [] }
    : byOrder(kept, newestAfter(memory.newestMs, work.tally.taken))
  if (old.length + older.length === 0) return part
  leaveOut(work.tally, old, 'age', sink)
  leaveOut(work.tally, older, 'order', sink)
  const young = { ...part, batches: fresh }
  work.parts = [young, ...work.parts.slice(1)]
  return young
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
      taken(destination, work, part.batches, ports.now())
      // How much of a partial one was taken, nobody says: it is in the event, and not counted as delivered.
      if (outcome.kind === 'partial') work.tally.partialRequests += 1
      else work.tally.deliveredSamples += samples
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

/** What is to be sent instead of a refused part; nothing when it is settled: dead-lettered, too old, or held already. */
function settleRejected(
  destination: OpenDestination,
  work: Work,
  part: Part,
  outcome: Extract<Outcome, { kind: 'rejected' }>,
  samples: number,
  ports: PumpPorts,
): readonly Part[] {
  const replayed = part.batches.some(batch => batch.replayed)
  const tooOld = outcome.tooOld && !replayed
  if (tooOld && sayTooOld(destination, part, outcome.reason, ports)) return [part]
  // Whether a replay was taken once, nobody can say: it stays a dead letter, to be looked at.
  const held = outcome.alreadyHeld && part.maybeStored && !replayed
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
    taken(destination, work, part.batches, ports.now())
    work.tally.unconfirmedBatches += part.batches.length
    return []
  }
  if (tooOld && !bisect(part.batches)) {
    // One snapshot by itself is too old: so is whatever is older, which need not be asked for.
    leaveOut(work.tally, part.batches, 'age', destination.sink)
    const { memory, sink } = destination
    const tooOldBelowMs = Math.max(memory.tooOldBelowMs ?? 0, newestIn(part.batches, sink) ?? 0)
    destination.memory = { ...memory, tooOldBelowMs }
    return []
  }
  work.tally.refused.push({ batches: part.batches, samples, reason: outcome.reason })
  return []
}

/** Remembers that the store refuses by age; whether the window, measured anew, now leaves something of the part out. */
function sayTooOld(destination: OpenDestination, part: Part, reason: string, ports: PumpPorts): boolean {
  const { memory, sink, settings } = destination
  const now = ports.now()
  if ((memory.saidTooOldAtMs ?? 0) <= (memory.newestTakenMs ?? 0))
    ports.note(destination, 'too_old', `It refuses samples for their age; such are left out and counted: ${reason}`)
  destination.memory = { ...memory, saidTooOldAtMs: now }
  return withinWindow(part.batches, horizonMs(destination.memory, sink.windowMs?.(settings), now)).old.length > 0
}

function answered(destination: OpenDestination, ports: PumpPorts): void {
  if (destination.memory.state === 'suspended')
    ports.note(destination, 'resumed', `It answers again; it was suspended: ${destination.memory.reason ?? 'unknown'}`)
  destination.memory = afterAnswer(destination.memory)
}

/** It holds these now. */
function taken(destination: OpenDestination, work: Work, batches: readonly Batch[], now: number): void {
  const { memory, sink } = destination
  work.tally.taken.push(...batches)
  const newestTakenMs = Math.max(memory.newestTakenMs ?? 0, newestIn(batches, sink) ?? 0) || null
  destination.memory = { ...memory, newestTakenMs, lastDeliveredAtMs: now }
}

/** Time of the newest snapshot, or log entry where those are what the sink takes; absent when there is none. */
function newestIn(batches: readonly Batch[], { carries }: SinkDefinition): number | undefined {
  const times = batches.flatMap(({ snapshots, entries }) =>
    (carries === 'metrics' ? snapshots : entries).map(({ atMs }) => atMs),
  )
  return times.length === 0 ? undefined : Math.max(...times)
}
