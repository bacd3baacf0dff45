import { expect, test } from 'vitest'
import type { Outcome } from '../../../shared/outcome.ts'
import { NOW, relayItem } from './fixtures.ts'
import { DELIVERED, LOST, MINUTE, posted, REJECTED, RETRY, SUSPENDED, setUp } from './pump-setup.ts'

const newest = (memory = {}) => setUp({ takes: 'newest' }, memory)
const removal = (hostId: string) => ({ kind: 'removal', atMs: NOW, hostId }) as const
const health = (hostId: string, up: 0 | 1, atMs = NOW) => relayItem(atMs, hostId, { onec_host_up: up })

test('one request a host, with its newest snapshot and the relay’s word', async () => {
  const { row, run, asked, destination } = newest()
  row(posted('h1', 0), posted('h2', 0))
  row(posted('h1', 5), health('h1', 1))
  await run()
  expect(asked()).toEqual(['h1@5 h1 relay', 'h2@0'])
  expect(destination.memory).toMatchObject({ cursor: 2, deliveredBatches: 3 })
})

test('a host of which nothing new came is not pushed again', async () => {
  const { row, run, asked } = newest()
  row(posted('h1', 0), posted('h2', 0))
  await run()
  row(posted('h2', 5))
  await run()
  expect(asked()).toEqual(['h1@0', 'h2@0', 'h2@5'])
})

test('after an outage the newest goes out, nothing older than five minutes', async () => {
  const { row, run, asked, world, destination } = newest()
  row(posted('h1', 0), posted('h2', 0))
  world.answer = () => LOST
  await run()
  expect(asked()).toEqual(['h1@0'])

  row(posted('h1', 8 * MINUTE))
  world.now = NOW + 8 * MINUTE
  world.answer = () => DELIVERED
  world.opened.length = 0
  await run()
  expect(asked()).toEqual(['h1@480000'])
  expect(world.opened, 'rows that can hold nothing new enough are not opened').toEqual([1])
  expect(destination.memory).toMatchObject({ cursor: 2, state: 'active' })
})

test.each([RETRY, SUSPENDED])('while it waits the cursor stays, and everyone is pushed afterwards', async outcome => {
  const { row, run, asked, world, destination } = newest()
  row(posted('h1', 0), posted('h2', 0))
  let answers: readonly Outcome[] = [DELIVERED, outcome]
  world.answer = () => {
    const [next = DELIVERED, ...rest] = answers
    answers = rest
    return next
  }
  await run()
  expect(destination.memory.cursor).toBe(0)
  destination.memory = { ...destination.memory, nextAttemptAtMs: NOW }
  await run()
  expect(asked()).toEqual(['h1@0', 'h2@0', 'h1@0', 'h2@0'])
  expect(destination.memory.cursor).toBe(1)
})

test('a removal goes out, however late', async () => {
  const { row, run, asked, world } = newest()
  row(posted('h1', 0))
  row(removal('h1'))
  world.now = NOW + 20 * 60 * MINUTE
  await run()
  expect(asked()).toEqual(['h1 gone'])
})

test('a removal that was not answered is sent again', async () => {
  const { row, run, asked, world } = newest()
  row(posted('h1', 0))
  await run()
  row(removal('h1'))
  world.answer = () => LOST
  await run()
  world.answer = () => DELIVERED
  world.now += MINUTE
  await run()
  expect(asked()).toEqual(['h1@0', 'h1 gone', 'h1 gone'])
})

test('a machine that comes back under its name is pushed after its old self is deleted', async () => {
  const { row, run, asked } = newest()
  row(removal('h1'))
  row(posted('h2', 0))
  await run()
  expect(asked()).toEqual(['h1 gone', 'h2@0'])
})

test('a refused push is a dead letter as a whole: a piece of it would take the place of the rest', async () => {
  const { row, run, asked, world, destination } = newest()
  row(posted('h1', 0, 1), health('h1', 1), posted('h2', 0))
  world.answer = content => (content.includes('h1') ? REJECTED : DELIVERED)
  await run()
  expect(asked()).toEqual(['h1@0 h1@1 h1 relay', 'h2@0'])
  expect(world.letters).toEqual(['h1@0 h1@1 h1 relay: HTTP 400: bad label'])
  expect(destination.memory).toMatchObject({ cursor: 1, deadLetters: 1, state: 'active' })
})

test('once a host is down only the relay’s word is pushed', async () => {
  const { row, run, asked, world } = newest()
  row(posted('h1', 0))
  await run()
  row(health('h1', 0, NOW + 10 * MINUTE))
  world.now = NOW + 10 * MINUTE
  await run()
  expect(asked()).toEqual(['h1@0', 'h1 relay'])
})

test('right after a recovery the relay’s word does not take a host’s metrics away', async () => {
  const { row, run, asked, destination } = newest()
  row(health('h1', 1))
  await run()
  expect(asked()).toEqual([])
  expect(destination.memory.cursor).toBe(1)
})
