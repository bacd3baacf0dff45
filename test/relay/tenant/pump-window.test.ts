import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../shared/outcome.ts'
import { NOW, relayItem } from './fixtures.ts'
import { DELIVERED, LOST, MINUTE, posted, SUSPENDED, setUp, TOO_OLD } from './pump-setup.ts'

/** What is too old for a store is left out before it voids a request, and counted: per host, and for the destination. */

const HOUR = 60 * MINUTE
const WINDOW_MS = 55 * MINUTE
const prometheus = (memory = {}) => setUp({ strictOrder: true, windowMs: () => WINDOW_MS }, memory)

/** A Prometheus whose newest sample is at `headMs` (after NOW): it takes nothing that is over an hour behind it. */
function head(headMs: number) {
  let newestMs = headMs
  return (content: string): Outcome => {
    const times = [...content.matchAll(/@(-?\d+)/g)].map(([, at]) => Number(at))
    if (times.some(at => at < newestMs - HOUR)) return TOO_OLD
    newestMs = Math.max(newestMs, ...times)
    return DELIVERED
  }
}

describe('the window is measured from the newest sample that the destination took', () => {
  test('so after its own outage of 3 h it gets everything, in order', async () => {
    const { row, run, asked, world, destination } = prometheus()
    row(posted('h1', -3 * HOUR))
    await run()
    world.answer = () => SUSPENDED
    for (let at = -2 * HOUR; at <= 0; at += HOUR) row(posted('h1', at))
    await run()
    world.answer = head(-3 * HOUR)
    world.now = NOW + 15 * MINUTE
    await run()
    expect(asked().at(-1)).toBe('h1@-7200000 h1@-3600000 h1@0')
    expect(destination.memory).toMatchObject({ cursor: 4, droppedSamples: 0, deliveredSamples: 4 })
  })

  test('so after a host was away for 3 h, what the others made too old of it is left out and counted', async () => {
    const { row, run, asked, world, destination } = prometheus()
    world.answer = head(0)
    row(posted('live', 0))
    await run()
    row(posted('away', -3 * HOUR, -2 * HOUR), posted('live', MINUTE))
    row(posted('away', -HOUR, -30 * MINUTE))
    await run()
    expect(asked()).toEqual(['live@0', 'live@60000 away@-1800000'])
    expect(destination.memory).toMatchObject({ droppedSamples: 3, droppedByAge: 3, droppedByOrder: 0, deadLetters: 0 })
    expect(destination.memory.leftOut).toEqual(new Map([['away', { age: 3, order: 0 }]]))
    expect(world.letters).toEqual([])
  })

  test('a store that takes any age gets any age', async () => {
    const { row, run, asked, destination } = setUp({}, { newestTakenMs: NOW })
    row(posted('away', -100 * HOUR))
    await run()
    expect(asked()).toEqual(['away@-360000000'])
    expect(destination.memory.droppedSamples).toBe(0)
  })

  test('what the relay says is counted for the destination, and no host’s', async () => {
    const { row, run, asked, destination } = prometheus({ newestTakenMs: NOW })
    row(relayItem(NOW - 2 * HOUR, 'h1', { onec_host_up: 1 }))
    await run()
    expect(asked()).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 1, droppedByAge: 1, leftOut: new Map() })
  })

  test('it is applied anew at every attempt', async () => {
    const { row, run, asked, world, destination } = prometheus({ saidTooOldAtMs: NOW })
    row(posted('h1', -50 * MINUTE, -MINUTE))
    world.answer = () => LOST
    await run()
    world.now += 10 * MINUTE
    world.answer = () => DELIVERED
    await run()
    expect(asked()).toEqual(['h1@-3000000 h1@-60000', 'h1@-60000'])
    expect(destination.memory).toMatchObject({ cursor: 1, droppedByAge: 1, deliveredSamples: 1 })
  })
})

describe('"too old"', () => {
  test('means that others write there too: the window is from now, until what is newer was taken', async () => {
    const { row, run, asked, world, destination } = prometheus({ newestTakenMs: NOW - 3 * HOUR })
    world.answer = head(0)
    for (let at = -3 * HOUR + MINUTE; at <= 0; at += HOUR) row(posted('h1', at))
    row(posted('h1', -MINUTE))
    await run()
    expect(asked()).toEqual(['h1@-10740000 h1@-7140000 h1@-3540000 h1@-60000', 'h1@-60000'])
    expect(world.notes).toEqual([
      'too_old: It refuses samples for their age; such are left out and counted: HTTP 400: out of bounds',
    ])
    expect(destination.memory).toMatchObject({ droppedByAge: 3, deadLetters: 0, saidTooOldAtMs: NOW })

    // What is newer than the refusal was taken: after the next outage it gets all of it again.
    world.now = NOW + MINUTE
    row(posted('h1', MINUTE))
    await run()
    world.now = NOW + 3 * HOUR
    row(posted('h1', 30 * MINUTE))
    await run()
    expect(asked()).toEqual(['h1@60000', 'h1@1800000'])
  })

  test('of samples that should be young enough is searched for, and counted, not dead-lettered', async () => {
    const { row, run, world, destination } = prometheus()
    // Someone else’s clock is half an hour ahead: the store’s window is shorter than it should be.
    world.answer = head(30 * MINUTE)
    row(posted('h1', -50 * MINUTE, -40 * MINUTE, -20 * MINUTE, -10 * MINUTE), posted('h2', -10 * MINUTE))
    await run()
    expect(world.letters).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 1, deliveredSamples: 3, droppedByAge: 2, deadLetters: 0 })
    expect(destination.memory.leftOut).toEqual(new Map([['h1', { age: 2, order: 0 }]]))
    expect(destination.memory.tooOldBelowMs).toBe(NOW - 40 * MINUTE)
  })

  test('of everything in a long row of a host ends within the bound of requests, and nothing is forgotten', async () => {
    const { row, run, asked, world, destination } = prometheus()
    row(posted('h1', ...Array.from({ length: 64 }, (_, index) => index)))
    world.answer = () => TOO_OLD
    await run()
    expect(asked().length).toBeLessThanOrEqual(33)
    const buried = world.letters.flatMap(letter => letter.split(': ')[0]?.split(' ') ?? []).length
    expect(destination.memory.droppedByAge + buried).toBe(64)
    expect(destination.memory.droppedByAge).toBeGreaterThan(0)
  })
})

test('counters are raised with the cursor only: work that dies in between counts nothing, then once', async () => {
  const first = prometheus({ newestTakenMs: NOW })
  first.row(posted('away', -2 * HOUR), posted('bad', 0), posted('live', 0))
  first.world.answer = content => (content.includes('bad') ? { ...TOO_OLD, tooOld: undefined as never } : DELIVERED)
  const settledParts = { count: 0 }
  const answer = first.world.answer
  first.world.answer = async content => {
    const outcome = await answer(content)
    settledParts.count += 1
    // The last part is still on its way.
    return content === 'live@0' ? LOST : outcome
  }
  await first.run()
  expect(settledParts.count).toBeGreaterThan(2)
  expect(first.world.letters).toEqual([])
  expect(first.destination.memory).toMatchObject({ cursor: 0, droppedSamples: 0, deadLetters: 0, deliveredSamples: 0 })

  first.world.answer = answer
  first.world.now += MINUTE
  await first.run()
  expect(first.world.letters).toHaveLength(1)
  expect(first.destination.memory).toMatchObject({ cursor: 1, droppedByAge: 1, deadLetters: 1, deliveredSamples: 1 })
})
