import type { Snapshot } from '../../shared/wire.ts'
import type { Host, SeriesName, Tenant } from '../sinks/sink.ts'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { type Counters, newCounters, type RefusalReason } from './counters.ts'
import { type DeadLetter, overBound } from './dead-letter.ts'
import { DeadLetters } from './dead-letters.ts'
import { batchesOf, type Names } from './decode.ts'
import { type DestinationMemory, newDestination } from './destination-memory.ts'
import { eventsOf } from './host-events.ts'
import { type HostMemory, newHost, remember } from './host-memory.ts'
import { seriesAfter } from './host-series.ts'
import type { Incident } from './incident.ts'
import { Outbox, StateUnreadable } from './outbox.ts'
import type { RingState } from './ring.ts'
import type { BatchItem, Item, RelayItem } from './row.ts'
import type { EventView } from './rpc.ts'
import { migrate } from './schema.ts'
import { countingStorage, type ObjectStorage } from './storage.ts'
import { checkpointRows, type HostRecord, TenantStore } from './store.ts'

/**
 * All that a tenant object knows: its tables, and in memory what changes with every batch. Memory is lost at every
 * eviction, so it is only ever ahead of the disk by what the outbox rows since the last checkpoint say again.
 */
export class TenantState implements Names {
  readonly store: TenantStore
  readonly outbox: Outbox
  readonly letters: DeadLetters
  readonly hosts = new Map<string, HostRecord>()
  readonly memories = new Map<string, HostMemory>()
  readonly destinations = new Map<string, DestinationMemory>()
  /** Per host id its series at last: what ends when it is removed. */
  readonly series = new Map<string, readonly SeriesName[]>()
  /** Last tick of the relay. */
  heartbeatMs: number
  /** Hosts that fell silent together and are said together. */
  incident: Incident | null = null
  /** The storage that was given, with every written row counted. */
  readonly storage: ObjectStorage
  #counters = newCounters()
  readonly #abort: (error: unknown) => never
  #identity: Tenant | undefined
  readonly #events: EventView[] = []
  readonly #buried: DeadLetter[] = []
  /** Per host id the newest batch found after the checkpoint and not opened by a pump yet. */
  readonly #unopened = new Map<string, BatchItem>()

  /**
   * `abort` ends the object, which then starts again from what is stored: called when a write failed, since memory that
   * is ahead of the disk must not live on.
   * @throws StateUnreadable when what is stored is not a state to go on from: never start empty over it
   */
  constructor(storage: ObjectStorage, now: number, abort: (error: unknown) => never) {
    this.storage = countingStorage(storage, rows => {
      this.#counters.rowsWritten += rows
    })
    migrate(this.storage)
    this.#abort = abort
    this.store = new TenantStore(this.storage.sql)
    this.outbox = new Outbox(this.storage.sql)
    this.letters = new DeadLetters(this.storage.sql)
    this.heartbeatMs = now
    const tenant = this.store.meta('tenant')
    if (tenant === undefined) return
    this.#identity = readable(() => JSON.parse(tenant))
    readable(() => this.#recover(now))
  }

  /** Absent until the directory has told the object whose it is. */
  get identity(): Tenant | undefined {
    return this.#identity
  }

  get tenant(): Tenant {
    if (!this.#identity) throw new Error('the tenant object was not told whose it is')
    return this.#identity
  }

  get counters(): Readonly<Counters> {
    return this.#counters
  }

  /** A batch was answered that there is no room; told to others with the next checkpoint. */
  countRefused(reason: RefusalReason): void {
    this.#counters.refusedBatches[reason] += 1
  }

  host(id: string): Host {
    const host = this.hosts.get(id)
    return { id, name: host?.name ?? id, labels: host?.config.labels ?? {} }
  }

  /** First call: the identity and an empty checkpoint are written together. Later ones only rename. */
  init(tenant: Tenant): void {
    const write = () => this.store.setMeta('tenant', JSON.stringify(tenant))
    if (this.#identity === undefined) this.checkpoint(write)
    else write()
    this.#identity = tenant
  }

  /** For the events table, with the next checkpoint. */
  note(event: EventView): void {
    this.#events.push(event)
  }

  /** For the dead-letters table, with the next checkpoint: the one that also moves the cursor past it. */
  bury(letter: DeadLetter): void {
    this.#buried.push(letter)
    // Those that wait for a checkpoint are within the bounds of the table: it would drop them too.
    const over = overBound(this.#buried.map(({ body }) => ({ bytes: body.length })))
    this.#countDropped(this.#buried.splice(0, over).map(({ destinationId }) => destinationId))
  }

  /** Remembers which series a present host has. */
  noteSeries(hostId: string, snapshot: Pick<Snapshot, 'metrics' | 'series'>): void {
    this.#unopened.delete(hostId)
    if (!this.memories.has(hostId)) return
    this.series.set(hostId, seriesAfter(this.series.get(hostId), snapshot, this.series.values()))
  }

  /** The series of a present host at last, also of what was stored just before a crash. */
  seriesOf(hostId: string): readonly SeriesName[] {
    const unopened = this.#unopened.get(hostId)
    const last = unopened && batchesOf([unopened], this)[0]?.snapshots.at(-1)
    if (last) this.noteSeries(hostId, last)
    return this.series.get(hostId) ?? []
  }

  memory(hostId: string, now: number): HostMemory {
    return this.memories.get(hostId) ?? newHost(now)
  }

  /**
   * Stores one row of the outbox and remembers what it says; resolves when it is on disk. One billed row, whatever the
   * number of items.
   */
  async append(items: readonly Item[], now: number): Promise<void> {
    try {
      this.outbox.append(items)
      this.#remember(items, now)
      await this.storage.sync()
    } catch (error) {
      this.#abort(error)
    }
  }

  /** Stores what the relay itself says, one row an item: what a tick remembers, until the next checkpoint. */
  say(items: readonly RelayItem[], now: number): void {
    this.heartbeatMs = now
    try {
      for (const item of items) this.outbox.append([item])
    } catch (error) {
      this.#abort(error)
    }
  }

  /** Writes what is known now, with the records that it implies, in one transaction; frees slots of the outbox. */
  checkpoint(also: () => void = () => {}): void {
    try {
      const ring = this.storage.transactionSync(() => this.#writeCheckpoint(also))
      this.outbox.checkpointed(ring)
    } catch (error) {
      this.#abort(error)
    }
    this.#events.length = 0
    this.#buried.length = 0
  }

  #writeCheckpoint(also: () => void): RingState {
    also()
    for (const letter of this.#buried) this.letters.add(letter)
    if (this.#buried.length > 0) this.#countDropped(this.letters.evict())
    const tail = Math.min(this.outbox.head, ...[...this.destinations.values()].map(({ cursor }) => cursor))
    const ring = this.outbox.releasable(tail)
    for (const event of this.#events) this.#counters.droppedEvents += this.store.addEvent(event)
    const { heartbeatMs, incident, memories: hosts, destinations, series } = this
    const known = { heartbeatMs, incident, ring, hosts, destinations, series, counters: this.#counters }
    // Last: it says how many rows were written before it.
    this.store.setCheckpoint(encodeCheckpoint(known))
    return ring
  }

  /** Of a destination that is gone nobody counts: its series are gone too. */
  #countDropped(destinationIds: readonly (string | null)[]): void {
    for (const id of destinationIds) {
      const memory = id === null ? undefined : this.destinations.get(id)
      if (id === null || !memory) continue
      this.destinations.set(id, { ...memory, deadLettersDropped: memory.deadLettersDropped + 1 })
    }
  }

  /** A host that was removed while its batch was on the way stays forgotten. */
  #remember(items: readonly Item[], now: number): void {
    for (const item of items) {
      if (item.kind === 'relay') this.heartbeatMs = item.atMs
      if (item.kind !== 'batch') continue
      this.#counters.acceptedBatches += 1
      if (this.hosts.get(item.hostId)?.removedAtMs !== null) continue
      const before = this.memory(item.hostId, now)
      const after = remember(before, item)
      const names = new Set([...before.backups.keys(), ...item.backups.map(({ name }) => name)])
      this.#counters.droppedBackups += names.size - after.backups.size
      this.memories.set(item.hostId, after)
      // Read from rows again after a crash, since the checkpoint that would have had them was not written.
      for (const event of eventsOf(this.host(item.hostId).name, before, after)) this.note(event)
    }
  }

  #recover(now: number): void {
    const stored = this.store.checkpoint()
    if (!stored) throw new StateUnreadable('there is no checkpoint')
    const checkpoint = decodeCheckpoint(stored)
    this.heartbeatMs = checkpoint.heartbeatMs
    this.incident = checkpoint.incident
    for (const host of this.store.hosts()) this.hosts.set(host.id, host)
    for (const [id, memory] of checkpoint.hosts) this.memories.set(id, memory)
    for (const [id, series] of checkpoint.series) this.series.set(id, series)
    this.#counters = checkpoint.counters
    this.#counters.rowsWritten += checkpointRows(stored)
    for (const items of this.outbox.recover(checkpoint.ring)) {
      this.#counters.rowsWritten += 1
      this.#remember(items, now)
      for (const item of items) if (item.kind === 'batch') this.#unopened.set(item.hostId, item)
    }
    const { head } = this.outbox
    for (const { id } of this.store.destinations()) {
      const memory = checkpoint.destinations.get(id) ?? newDestination(head)
      // What was delivered after the checkpoint is not known any more.
      this.destinations.set(id, { ...memory, uncertainBelow: head })
    }
  }
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof StateUnreadable ? error : new StateUnreadable('the stored state', { cause: error })
  }
}
