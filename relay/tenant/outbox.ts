import { EMPTY_RING, liveSlots, nextSlot, push, type RingState, release } from './ring.ts'
import { acceptedAtMs, decodeRow, destinationOf, encodeRow, type Item, samplesOf } from './row.ts'
import type { Sql } from './storage.ts'

/** What is known of a row without reading its body. */
export interface RowEntry {
  readonly seq: number
  readonly slot: number
  readonly atMs: number
  readonly batches: number
  readonly samples: number
  readonly bytes: number
  /** Whether a removal is among its items: it must not be passed over. */
  readonly removal: boolean
  /** Set: a replay, which only this destination takes. The others pass over it. */
  readonly destinationId?: string
}

type Row = {
  seq: number
  at: number
  batches: number
  samples: number
  removal: number
  bytes: number
  destination_id: string | null
}

const ROW_COLUMNS = 'seq, at, batches, samples, removal, length(body) AS bytes, destination_id'

/** The state on disk is not what the checkpoint says. Nothing may be started over it. */
export class StateUnreadable extends Error {}

/** The rows that some destination still needs, on disk by slot and indexed here by number. */
export class Outbox {
  readonly #sql: Sql
  #checkpointed: RingState = EMPTY_RING
  #ring: RingState = EMPTY_RING
  #rows: RowEntry[] = []
  #bytes = 0
  /** All samples since the object woke, and how many of them came before each row. */
  #samples = 0
  #samplesBefore: number[] = []

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Number of the next row. */
  get head(): number {
    return this.#ring.head
  }

  get ring(): RingState {
    return this.#ring
  }

  /** Bytes of all live rows. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes up at a checkpoint: its rows by their slots, then those written since, each looked for by key where it would
   * be. Answers the items of the latter, oldest first: what the checkpoint does not know yet.
   * @throws StateUnreadable when a row that the checkpoint needs is not there
   */
  recover(checkpointed: RingState): Item[][] {
    this.#checkpointed = checkpointed
    this.#ring = checkpointed
    this.#rows = []
    this.#bytes = 0
    this.#samples = 0
    this.#samplesBefore = []
    for (const { seq, slot } of liveSlots(checkpointed)) {
      const row = this.#row(slot)
      if (row?.seq !== seq) throw new StateUnreadable(`outbox row ${seq} is not in slot ${slot}`)
      this.#add(row)
    }
    const since: Item[][] = []
    for (;;) {
      const slot = nextSlot(this.#checkpointed, this.#ring)
      const row = this.#row(slot)
      if (row?.seq !== this.#ring.head) return since
      this.#ring = push(this.#ring, slot)
      this.#add(row)
      since.push([...this.read(row)])
    }
  }

  /** Writes one row; one billed row of the database. Durable when the object's output gate opens. */
  append(items: readonly Item[]): RowEntry {
    const seq = this.#ring.head
    const slot = nextSlot(this.#checkpointed, this.#ring)
    const body = encodeRow(items)
    const atMs = acceptedAtMs(items)
    const batches = items.filter(item => item.kind === 'batch').length
    const samples = samplesOf(items)
    const removal = items.some(item => item.kind === 'removal')
    const destinationId = destinationOf(items)
    this.#sql.exec(
      `INSERT OR REPLACE INTO outbox (slot, seq, at, batches, samples, removal, body, destination_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      slot,
      seq,
      atMs,
      batches,
      samples,
      removal ? 1 : 0,
      body,
      destinationId ?? null,
    )
    const row = { seq, slot, atMs, batches, samples, bytes: body.length, removal, ...only(destinationId) }
    this.#ring = push(this.#ring, slot)
    this.#add(row)
    return row
  }

  /** Live rows from `seq` on, oldest first. */
  from(seq: number): readonly RowEntry[] {
    const first = this.#rows[0]?.seq ?? this.#ring.head
    return this.#rows.slice(Math.max(seq - first, 0))
  }

  /** Samples of the live rows from `seq` on. */
  samplesFrom(seq: number): number {
    return (
      this.#samples - (this.#samplesBefore[Math.max(seq - (this.#rows[0]?.seq ?? this.#ring.head), 0)] ?? this.#samples)
    )
  }

  /** The same as `from` without the rows that are another destination's. */
  backlog(seq: number, destinationId: string): readonly RowEntry[] {
    return this.from(seq).filter(row => row.destinationId === undefined || row.destinationId === destinationId)
  }

  read(row: RowEntry): readonly Item[] {
    const [found] = this.#sql.exec<{ seq: number; body: ArrayBuffer }>(
      'SELECT seq, body FROM outbox WHERE slot = ?',
      row.slot,
    )
    if (found?.seq !== row.seq) throw new StateUnreadable(`outbox row ${row.seq} is not in slot ${row.slot}`)
    return decodeRow(new Uint8Array(found.body))
  }

  /** The ring as a checkpoint may store it when no destination needs rows before `tail`. */
  releasable(tail: number): RingState {
    return release(this.#ring, tail)
  }

  /** A checkpoint with `ring` was written: the slots that it freed may be used again. */
  checkpointed(ring: RingState): void {
    this.#checkpointed = ring
    this.#ring = ring
    const tail = ring.live[0]?.seq ?? ring.head
    const kept = this.from(tail)
    if (kept.length === this.#rows.length) return
    this.#samplesBefore = this.#samplesBefore.slice(-kept.length || this.#samplesBefore.length)
    this.#rows = [...kept]
    this.#bytes = kept.reduce((sum, row) => sum + row.bytes, 0)
  }

  #add(row: RowEntry): void {
    this.#rows.push(row)
    this.#samplesBefore.push(this.#samples)
    this.#bytes += row.bytes
    this.#samples += row.samples
  }

  #row(slot: number): RowEntry | undefined {
    const [row] = this.#sql.exec<Row>(`SELECT ${ROW_COLUMNS} FROM outbox WHERE slot = ?`, slot)
    if (!row) return undefined
    const { at, removal, destination_id: destinationId, ...rest } = row
    return { ...rest, slot, atMs: at, removal: removal === 1, ...only(destinationId ?? undefined) }
  }
}

function only(destinationId: string | undefined): Pick<RowEntry, 'destinationId'> {
  return destinationId === undefined ? {} : { destinationId }
}
