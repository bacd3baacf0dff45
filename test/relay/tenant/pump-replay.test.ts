import { expect, test } from 'vitest'
import { NOW, replayItem } from './fixtures.ts'
import { HELD, LOST, MINUTE, posted, REJECTED, RETRY, setUp, TOO_OLD } from './pump-setup.ts'

/** Prometheus without an out-of-order window. */
const STRICT = { strictOrder: true } as const
const replay = (hostId: string, ...times: readonly number[]) =>
  replayItem(
    hostId,
    times.map(at => NOW + at),
  )

test('a replay goes in its turn, in a request of its own, past the order filter', async () => {
  const { row, run, asked, destination } = setUp(STRICT, { newestMs: new Map([['h1', NOW + 5 * MINUTE]]) })
  row(posted('h1', 6 * MINUTE), posted('h2', 0))
  row(replay('h1', 0, MINUTE))
  row(replay('h2', -MINUTE))
  row(posted('h1', 7 * MINUTE))
  await run()
  expect(asked()).toEqual(['h1@360000 h2@0', 'h1@0 h1@60000', 'h2@-60000', 'h1@420000'])
  expect(destination.memory).toMatchObject({ cursor: 4, deliveredBatches: 3, droppedSamples: 0, deadLetters: 0 })
  // What came late does not move the order back.
  expect(destination.memory.newestMs.get('h1')).toBe(NOW + 7 * MINUTE)
})

test('a replay for another destination is passed over without a request', async () => {
  const { row, run, asked, destination } = setUp(STRICT)
  row(replayItem('h1', [NOW], { destinationId: 'd2' }))
  row(posted('h1', MINUTE))
  row(replayItem('h1', [NOW], { destinationId: 'd2' }))
  expect(await run()).toBe(1)
  expect(asked()).toEqual(['h1@60000'])
  expect(destination.memory).toMatchObject({ cursor: 3, deliveredSamples: 1, deliveredBatches: 1 })
})

test('a sink that takes the newest only passes over the replays of others', async () => {
  const { row, run, asked, destination } = setUp({ takes: 'newest' })
  row(replayItem('h1', [NOW], { destinationId: 'd2' }))
  row(posted('h1', 0))
  await run()
  expect(asked()).toEqual(['h1@0'])
  expect(destination.memory.cursor).toBe(2)
})

test('refused again it is a dead letter again, with the new reason', async () => {
  const { row, run, asked, world, destination } = setUp(STRICT)
  world.answer = content => (content.includes('h1@0') ? REJECTED : { kind: 'delivered' })
  row(replay('h1', 0, MINUTE))
  row(posted('h1', 2 * MINUTE))
  await run()
  expect(asked()).toEqual(['h1@0 h1@60000', 'h1@0', 'h1@60000', 'h1@120000'])
  expect(world.letters).toEqual(['h1@0: HTTP 400: bad label'])
  expect(destination.memory).toMatchObject({ cursor: 2, deadLetters: 1, deliveredSamples: 2 })
})

test('a replay waits out an outage as it is, and what is refused after a lost reply is not taken for held', async () => {
  const { row, run, asked, world, destination } = setUp(STRICT, { uncertainBelow: 9 })
  row(replay('h1', 0))
  for (const answer of [RETRY, LOST]) {
    world.answer = () => answer
    await run()
    world.now += 10 * MINUTE
  }
  world.answer = () => HELD
  await run()
  expect(asked()).toEqual(['h1@0', 'h1@0', 'h1@0'])
  expect(world.letters).toEqual(['h1@0: HTTP 400: out of order sample'])
  expect(destination.memory).toMatchObject({ cursor: 1, deadLetters: 1, unconfirmedBatches: 0 })
})

test('the destination itself says whether a replay is too old, and that moves no window for what is live', async () => {
  const memory = { newestTakenMs: NOW, newestMs: new Map([['h1', NOW]]) }
  const { row, run, asked, world, destination } = setUp({ strictOrder: true, windowMs: () => 55 * MINUTE }, memory)
  row(replay('h1', -300 * MINUTE))
  await run()
  expect(asked()).toEqual(['h1@-18000000'])
  expect(destination.memory).toMatchObject({ deliveredSamples: 1, droppedSamples: 0, newestTakenMs: NOW })

  world.answer = content => (content.includes('-') ? TOO_OLD : { kind: 'delivered' })
  row(replay('h1', -300 * MINUTE, -299 * MINUTE))
  row(posted('h1', MINUTE))
  await run()
  expect(asked()).toEqual(['h1@-18000000 h1@-17940000', 'h1@-18000000', 'h1@-17940000', 'h1@60000'])
  expect(world.letters).toHaveLength(2)
  expect(destination.memory).toMatchObject({
    ...{ cursor: 3, deadLetters: 2, droppedByAge: 0, saidTooOldAtMs: null, tooOldBelowMs: null },
  })
})
