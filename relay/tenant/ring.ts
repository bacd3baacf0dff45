/**
 * Which slot of the outbox table holds which row. Rows are numbered by arrival (`seq`) and written by upsert into slots,
 * so that a batch costs one billed row and nothing is ever deleted.
 *
 * Two rules make recovery possible without a scan. A slot is used again only after the checkpoint that frees it, so a
 * row that a checkpoint still needs is never overwritten. And the order in which slots are taken follows from the
 * checkpoint alone (free slots ascending, then new ones at the end), so that recovery knows where the next row would
 * be, reads that key, and stops at the first one whose `seq` is not the expected.
 */
export interface Run {
  /** Number of the first row. */
  readonly seq: number
  /** Slot of the first row; the others follow. */
  readonly slot: number
  readonly length: number
}

/** What a checkpoint stores of the ring. */
export interface RingState {
  /** Number of the next row. */
  readonly head: number
  /** Slots in use so far; the table never has a higher one. */
  readonly capacity: number
  /** Where the rows still needed are, ascending by `seq`. */
  readonly live: readonly Run[]
}

export const EMPTY_RING: RingState = { head: 0, capacity: 0, live: [] }

/** Slot that the next row goes to. `checkpointed` is the ring at the last checkpoint, `now` the ring since. */
export function nextSlot(checkpointed: RingState, now: RingState): number {
  let taken = now.head - checkpointed.head
  let from = 0
  for (const run of [...checkpointed.live].sort((a, b) => a.slot - b.slot)) {
    const gap = run.slot - from
    if (taken < gap) return from + taken
    taken -= Math.max(gap, 0)
    from = run.slot + run.length
  }
  return from + taken
}

/** The ring with one more row, in `slot`. */
export function push(ring: RingState, slot: number): RingState {
  const last = ring.live.at(-1)
  const grows = last && last.slot + last.length === slot
  const live = grows
    ? [...ring.live.slice(0, -1), { ...last, length: last.length + 1 }]
    : [...ring.live, { seq: ring.head, slot, length: 1 }]
  return { head: ring.head + 1, capacity: Math.max(ring.capacity, slot + 1), live }
}

/** The ring without the rows before `tail`. */
export function release(ring: RingState, tail: number): RingState {
  const live: Run[] = []
  for (const run of ring.live) {
    const gone = Math.min(Math.max(tail - run.seq, 0), run.length)
    if (gone < run.length) live.push({ seq: run.seq + gone, slot: run.slot + gone, length: run.length - gone })
  }
  return { ...ring, live }
}

/** Slots of the live rows, oldest first. */
export function* liveSlots(ring: RingState): Generator<{ seq: number; slot: number }> {
  for (const run of ring.live)
    for (let index = 0; index < run.length; index += 1) yield { seq: run.seq + index, slot: run.slot + index }
}
