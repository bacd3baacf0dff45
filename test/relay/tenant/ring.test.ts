import { expect, test } from 'vitest'
import { EMPTY_RING, liveSlots, nextSlot, push, type RingState, release } from '../../../relay/tenant/ring.ts'
import { seededRandom } from '../../support/seeded-random.ts'

/** The table, the last checkpoint, and what the running object knows on top of it. */
interface World {
  readonly table: Map<number, number>
  checkpointed: RingState
  now: RingState
  /** Oldest row that the last checkpoint still needs. */
  tail: number
}

function append(world: World): void {
  const slot = nextSlot(world.checkpointed, world.now)
  const needed = new Set([...liveSlots(world.checkpointed), ...liveSlots(world.now)].map(live => live.slot))
  expect(needed, 'a slot that is needed is not used again').not.toContain(slot)
  world.table.set(slot, world.now.head)
  world.now = push(world.now, slot)
}

function checkpoint(world: World, tail: number): void {
  world.now = release(world.now, tail)
  world.checkpointed = world.now
  world.tail = tail
}

/** What an object that lost its memory finds. */
function recover(world: World): number[] {
  let ring = world.checkpointed
  for (const { seq, slot } of liveSlots(ring)) expect(world.table.get(slot), 'a live row is where it was').toBe(seq)
  const found: number[] = []
  for (
    let slot = nextSlot(ring, ring);
    world.table.get(slot) === ring.head;
    slot = nextSlot(world.checkpointed, ring)
  ) {
    found.push(ring.head)
    ring = push(ring, slot)
  }
  world.now = ring
  return found
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('appends, checkpoints and crashes in any order lose nothing (seed %i)', seed => {
  const random = seededRandom(seed)
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  const world: World = { table: new Map(), checkpointed: EMPTY_RING, now: EMPTY_RING, tail: 0 }
  let mostLive = 0
  for (let step = 0; step < 400; step += 1) {
    const dice = random()
    if (dice < 0.6) for (let rows = upTo(5); rows > 0; rows -= 1) append(world)
    else if (dice < 0.85) checkpoint(world, world.tail + upTo(world.now.head - world.tail))
    else {
      const since = Array.from(
        { length: world.now.head - world.checkpointed.head },
        (_, row) => world.checkpointed.head + row,
      )
      const before = world.now
      expect(recover(world)).toEqual(since)
      expect(world.now).toEqual(before)
    }
    const live = [...liveSlots(world.now)].map(({ seq }) => seq)
    expect(live).toEqual(Array.from({ length: world.now.head - world.tail }, (_, row) => world.tail + row))
    mostLive = Math.max(mostLive, live.length)
    expect(world.now.capacity).toBe(Math.max(0, ...[...world.table.keys()].map(slot => slot + 1)))
  }
  // Slots are used again: the table stays near the longest backlog there was, plus what came between two checkpoints.
  expect(world.now.capacity).toBeLessThan(mostLive * 2 + 10)
})

test('a steady tenant keeps its ring small and in few runs', () => {
  let ring = EMPTY_RING
  let checkpointed = EMPTY_RING
  for (let minute = 0; minute < 1_000; minute += 1) {
    for (let row = 0; row < 10; row += 1) ring = push(ring, nextSlot(checkpointed, ring))
    ring = release(ring, ring.head - (minute % 7))
    checkpointed = ring
  }
  expect(ring.capacity).toBeLessThan(40)
  expect(ring.live.length).toBeLessThan(10)
})

test('free slots are taken ascending, then new ones at the end', () => {
  let ring = EMPTY_RING
  for (let row = 0; row < 4; row += 1) ring = push(ring, nextSlot(EMPTY_RING, ring))
  const checkpointed = release(ring, 2)
  expect(checkpointed).toEqual({ head: 4, capacity: 4, live: [{ seq: 2, slot: 2, length: 2 }] })
  let now = checkpointed
  const slots: number[] = []
  for (let row = 0; row < 4; row += 1) {
    slots.push(nextSlot(checkpointed, now))
    now = push(now, slots.at(-1) ?? 0)
  }
  expect(slots).toEqual([0, 1, 4, 5])
})

test('a release beyond the head frees everything and keeps the number of the next row', () => {
  const ring = push(push(EMPTY_RING, 0), 1)
  expect(release(ring, 99)).toEqual({ head: 2, capacity: 2, live: [] })
  expect(release(ring, 0)).toEqual(ring)
})
