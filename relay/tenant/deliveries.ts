import type { Outcome } from '../../shared/outcome.ts'
import type { DataKey } from '../secrets/envelope.ts'
import { sinkOf } from '../sinks/index.ts'
import type { OutboundRequest, SinkDefinition } from '../sinks/sink.ts'
import { budgetOf, overBudget } from './budget.ts'
import { lettersOf } from './dead-letter.ts'
import { batchesOf, replaysOf } from './decode.ts'
import { deliver, secretForms } from './deliver.ts'
import { factsOf, totals, viewOf } from './delivery-views.ts'
import { afterFailure, type DestinationMemory, mayTry, newDestination } from './destination-memory.ts'
import type { RowEntry } from './outbox.ts'
import { carriedBy } from './parts.ts'
import { abandon, type OpenDestination, type PumpPorts, pump, type Refused } from './pump.ts'
import type { Budget, DestinationView, LeftOutView } from './rpc.ts'
import { openSettings } from './settings.ts'
import type { TenantState } from './state.ts'
import type { DestinationRecord } from './store.ts'
import { type DeliveryFacts, testBatch } from './tick.ts'

/** Samples of rows kept opened, so that four destinations that read the same ones open them once. */
const OPENED_SAMPLES = 20_000

export interface DeliveryPorts {
  dataKey(): Promise<DataKey>
  pumpEnded(): void
  now(): number
}

/** The destinations of a tenant and their pumps: each at its own cursor, none waiting for another. */
export class Deliveries {
  readonly #state: TenantState
  readonly #ports: DeliveryPorts
  readonly #records = new Map<string, DestinationRecord>()
  readonly #open = new Map<string, OpenDestination>()
  readonly #running = new Set<string>()
  readonly #rows = new Map<number, { opened: ReturnType<PumpPorts['open']>; samples: number }>()

  constructor(state: TenantState, ports: DeliveryPorts) {
    this.#state = state
    this.#ports = ports
    for (const record of state.store.destinations()) this.#records.set(record.id, record)
  }

  get records(): readonly DestinationRecord[] {
    return [...this.#records.values()]
  }

  /** Whether some destination has not got all that was stored. */
  get isBehind(): boolean {
    return [...this.#records.keys()].some(id => this.memory(id).cursor < this.#state.outbox.head)
  }

  get isPumping(): boolean {
    return this.#running.size > 0
  }

  find(idOrName: string): DestinationRecord | undefined {
    return this.#records.get(idOrName) ?? this.records.find(({ name }) => name === idOrName)
  }

  /** Makes what is in flight to it change nothing more; what became of that is not known then. */
  interrupt(id: string): void {
    if (!this.#running.has(id)) return
    this.#close(id)
    this.#state.destinations.set(id, { ...this.memory(id), uncertainBelow: this.#state.outbox.head })
  }

  /** A new or changed record, already stored; the memory stays what it is. */
  put(record: DestinationRecord): void {
    this.#close(record.id)
    this.#records.set(record.id, record)
  }

  remove(id: string): void {
    this.#close(id)
    this.#records.delete(id)
    this.#state.destinations.delete(id)
  }

  memory(id: string): DestinationMemory {
    return this.#state.destinations.get(id) ?? newDestination(this.#state.outbox.head)
  }

  /** Sends the relay's own samples outside the queue: whether a destination takes anything at all. */
  async test(record: DestinationRecord): Promise<Outcome> {
    const destination = await this.#opened(record)
    if (!destination) return { kind: 'suspended', reason: `this release has no sink "${record.sink}"` }
    return this.#probe(destination)
  }

  /** Starts the pump of every destination that has something to send and may; none is awaited. */
  startPumps(): void {
    for (const record of this.#records.values()) if (this.#mayStart(record.id)) void this.#runPump(record)
  }

  /** Whether a pump would start: something came for its destination after it began. */
  get isReady(): boolean {
    return [...this.#records.keys()].some(id => this.#mayStart(id))
  }

  #mayStart(id: string): boolean {
    const memory = this.memory(id)
    const idle = memory.cursor >= this.#state.outbox.head || !mayTry(memory, this.#ports.now())
    return !idle && !this.#running.has(id)
  }

  /** When the earliest destination in back-off that has something to send may try again. */
  nextRetryAtMs(): number | undefined {
    const times = [...this.#records.keys()].flatMap(id => {
      const { cursor, nextAttemptAtMs } = this.memory(id)
      const waits = nextAttemptAtMs !== null && cursor < this.#state.outbox.head && !this.#running.has(id)
      return waits ? [nextAttemptAtMs] : []
    })
    return times.length === 0 ? undefined : Math.min(...times)
  }

  get budgets(): Budget[] {
    return [...this.#records.keys()].map(id => this.budget(id))
  }

  budget(id: string): Budget {
    return budgetOf(this.#records.get(id)?.budget ?? {}, this.#state.memories.size)
  }

  /** Drops the oldest rows of every destination that is over its age or size, counted and said. */
  enforceBudgets(now: number): void {
    for (const record of this.#records.values()) {
      // A running pump does it itself, before it takes more work.
      if (!this.#running.has(record.id)) this.#enforceBudget(record, now)
    }
  }

  #enforceBudget(record: Pick<DestinationRecord, 'id' | 'name'>, now: number): void {
    const { id, name } = record
    const gone = overBudget(this.#state.outbox.backlog(this.memory(id).cursor, id), this.budget(id), now)
    const last = gone.at(-1)
    if (!last) return
    // What is in hand goes whole: part of it may be settled, and is not counted then.
    const open = this.#open.get(id)
    const inHand = open?.work ? abandon(open, open.work, this.#pumpPorts) : 0
    const memory = this.memory(id)
    const rest = gone.filter(({ seq }) => seq >= memory.cursor)
    const lost = inHand + this.#carriedBy(rest, id, open?.sink)
    const cursor = Math.max(memory.cursor, last.seq + 1)
    this.#state.destinations.set(id, { ...memory, cursor, droppedSamples: memory.droppedSamples + lost })
    this.#note(
      name,
      'dropped',
      `${totals(gone).batches} batches (${lost} samples) were over its budget of age or bytes`,
    )
  }

  /** What rows carry to a sink; how many log entries only their bodies say. */
  #carriedBy(rows: readonly RowEntry[], id: string, sink: SinkDefinition | undefined): number {
    if (sink?.carries !== 'log entries') return totals(rows).samples
    return rows.reduce((sum, row) => sum + carriedBy(this.#openFor(row, id).batches, sink), 0)
  }

  facts(now: number): DeliveryFacts[] {
    return this.records.map(record => this.#facts(record, now))
  }

  #facts({ id, name }: Pick<DestinationRecord, 'id' | 'name'>, now: number): DeliveryFacts {
    const memory = this.memory(id)
    return factsOf(name, memory, this.#state.outbox.backlog(memory.cursor, id), now)
  }

  /** What each destination did not get of a host's snapshots. */
  leftOutOf(hostId: string): LeftOutView[] {
    return this.records.flatMap(({ id, name }) => {
      const leftOut = this.memory(id).leftOut.get(hostId)
      return leftOut ? [{ destination: name, ageSamples: leftOut.age, orderSamples: leftOut.order }] : []
    })
  }

  /** Samples that wait for the destination in working order that is furthest behind. */
  waitingSamples(): number {
    const working = [...this.#records.keys()].map(id => this.memory(id)).filter(({ state }) => state === 'active')
    return this.#state.outbox.samplesFrom(Math.min(...working.map(({ cursor }) => cursor), this.#state.outbox.head))
  }

  view(record: DestinationRecord): DestinationView {
    const memory = this.memory(record.id)
    const backlog = this.#state.outbox.backlog(memory.cursor, record.id)
    return viewOf(record, memory, backlog, this.budget(record.id))
  }

  async #runPump(record: DestinationRecord): Promise<void> {
    this.#running.add(record.id)
    let destination: OpenDestination | undefined
    try {
      destination = await this.#opened(record)
      const samples = destination ? await pump(destination, this.#pumpPorts) : 0
      if (destination && samples > 0)
        console.log(
          `Sent ${samples} ${destination.sink.carries} to ${destination.sink.title} (${this.#state.tenant.id}/${record.name})`,
        )
    } catch (error) {
      // No outcome of the destination's but a fault of ours: said, and tried again like an outage.
      console.error(`Delivery to ${this.#state.tenant.id}/${record.name} failed:`, error)
      const outcome = { kind: 'retry', reason: 'an error inside the relay, see its log', mayBeStored: true } as const
      const failed = afterFailure(this.memory(record.id), outcome, this.#ports.now(), Math.random())
      if (this.#records.has(record.id)) this.#state.destinations.set(record.id, failed)
    } finally {
      this.#running.delete(record.id)
      // What took its place had to wait for the request in flight.
      if (destination?.closed) this.startPumps()
      this.#ports.pumpEnded()
    }
  }

  /** With its settings opened, once per version; absent when this release does not have its sink. */
  async #opened(record: DestinationRecord): Promise<OpenDestination | undefined> {
    const known = this.#open.get(record.id)
    const sink = sinkOf(record.sink)
    if (known || !sink) return known
    const settings = await openSettings(await this.#ports.dataKey(), this.#state.tenant.id, record)
    const destination = openDestination(record, sink, settings, this.#state)
    // An edit may have come while the secrets were being opened.
    if (this.#records.get(record.id) === record) this.#open.set(record.id, destination)
    else destination.closed = true
    return destination
  }

  readonly #pumpPorts: PumpPorts = {
    now: () => this.#ports.now(),
    random: Math.random,
    enforceBudget: destination => this.#enforceBudget(destination, this.#ports.now()),
    rowsFrom: seq => this.#state.outbox.from(seq),
    open: (row, { id }) => this.#openFor(row, id),
    send: (destination, request) => this.#deliver(destination, request),
    probe: destination => this.#probe(destination),
    deadLetter: refused => this.#bury(refused),
    note: ({ name }, kind, message) => this.#note(name, kind, message),
  }

  #deliver({ sink, settings, memory }: OpenDestination, request: OutboundRequest): Promise<Outcome> {
    return deliver(
      sink,
      withAttempt(request, memory.failures),
      secretForms(settings, sink.secretFields),
      this.#ports.now,
    )
  }

  async #probe(destination: OpenDestination): Promise<Outcome> {
    const now = this.#ports.now()
    const batch = testBatch(this.#state.tenant, this.#facts(destination, now), now)
    const request = destination.sink.encode([batch], destination.settings)
    if (!request) return { kind: 'delivered' }
    const outcome = await this.#deliver(destination, request)
    // What keeps groups for ever must not keep that of a test.
    const tidy = destination.sink.takes === 'newest' && outcome.kind === 'delivered'
    const removal = tidy ? destination.sink.encode([{ ...batch, removed: true }], destination.settings) : undefined
    if (removal) await this.#deliver(destination, removal)
    return outcome
  }

  #openFor(row: RowEntry, destinationId: string): ReturnType<PumpPorts['open']> {
    const opened = this.#openRow(row)
    if (row.destinationId !== destinationId) return opened
    return { items: opened.items, batches: replaysOf(opened.items, this.#state, destinationId) }
  }

  #openRow(row: RowEntry): ReturnType<PumpPorts['open']> {
    const known = this.#rows.get(row.seq)
    if (known) return known.opened
    const items = this.#state.outbox.read(row)
    const opened = { items, batches: batchesOf(items, this.#state) }
    for (const { source, host, snapshots } of opened.batches) {
      const last = snapshots.at(-1)
      if (source === 'agent' && last) this.#state.noteSeries(host.id, last)
    }
    this.#rows.set(row.seq, { opened, samples: row.samples })
    let samples = [...this.#rows.values()].reduce((sum, kept) => sum + kept.samples, 0)
    for (const [seq, kept] of this.#rows) {
      if (samples <= OPENED_SAMPLES || seq === row.seq) break
      this.#rows.delete(seq)
      samples -= kept.samples
    }
    return opened
  }

  #bury({ destination, batches, samples, reason }: Refused): number {
    const samplesOf = (some: Refused['batches']) => destination.sink.encode(some, destination.settings)?.samples ?? 0
    const atMs = this.#ports.now()
    const letters = lettersOf({ atMs, destination, batches, samples, reason, samplesOf })
    for (const letter of letters) this.#state.bury(letter)
    return letters.length
  }

  #note(destination: string, kind: string, message: string): void {
    console.log(`Destination ${this.#state.tenant.id}/${destination} ${kind}: ${message}`)
    this.#state.note({ atMs: this.#ports.now(), kind: `destination_${kind}`, subject: destination, message })
  }

  #close(id: string): void {
    const open = this.#open.get(id)
    if (open) open.closed = true
    this.#open.delete(id)
  }
}

/** Its memory is the state's own, so that a checkpoint during a hanging request has what is settled already. */
function openDestination(
  { id, name }: DestinationRecord,
  sink: SinkDefinition,
  settings: Readonly<Record<string, unknown>>,
  state: TenantState,
): OpenDestination {
  return {
    id,
    name,
    sink,
    settings,
    work: undefined,
    latest: new Map(),
    closed: false,
    get memory() {
      return state.destinations.get(id) ?? newDestination(state.outbox.head)
    },
    set memory(memory) {
      state.destinations.set(id, memory)
    },
  }
}

/** Remote write 1.0: "retries carry Retry-Attempt"; the others ignore it. */
function withAttempt(request: OutboundRequest, failures: number): OutboundRequest {
  return failures === 0 ? request : { ...request, headers: { ...request.headers, 'retry-attempt': String(failures) } }
}
