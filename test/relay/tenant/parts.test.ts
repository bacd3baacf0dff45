import { expect, test } from 'vitest'
import { type Batch, MAX_SAMPLES_PER_REQUEST } from '../../../relay/sinks/sink.ts'
import { bisect, partsByHost, partsOf, weightOf } from '../../../relay/tenant/parts.ts'
import type { Entry } from '../../../shared/wire.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { agentBatch, NOW, snapshot } from './fixtures.ts'

const metrics = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]))
const entry = (atMs: number, length = 20): Entry => ({ atMs, level: 'info', message: 'x'.repeat(length) })

/** Batches of a few hosts with snapshots and entries of every amount. */
function randomBatches(seed: number): Batch[] {
  const random = seededRandom(seed)
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  let atMs = NOW
  return Array.from({ length: 1 + upTo(30) }, () =>
    agentBatch(`h${upTo(5)}`, [], {
      snapshots: Array.from({ length: upTo(random() < 0.1 ? 120 : 5) }, () =>
        snapshot(atMs++, { metrics: metrics(upTo(60)) }),
      ),
      entries: Array.from({ length: upTo(random() < 0.1 ? 500 : 3) }, () =>
        entry(atMs++, 1 + upTo(random() < 0.1 ? 60_000 : 80)),
      ),
    }),
  )
}

/** Everything in the batches of one host, in order. */
const contentOf = (batches: readonly Batch[], hostId: string) => {
  const own = batches.filter(({ host }) => host.id === hostId)
  return { snapshots: own.flatMap(({ snapshots }) => snapshots), entries: own.flatMap(({ entries }) => entries) }
}

const SEEDS = [11, 12, 13, 14, 15, 16]

test.each(SEEDS)('parts are within the bound, and nothing is lost or out of order (seed %i)', seed => {
  const batches = randomBatches(seed)
  const parts = partsOf(batches)
  for (const part of parts)
    expect(part.reduce((sum, batch) => sum + weightOf(batch), 0)).toBeLessThanOrEqual(MAX_SAMPLES_PER_REQUEST)
  for (const { host } of batches) expect(contentOf(parts.flat(), host.id)).toEqual(contentOf(batches, host.id))
  expect(partsOf(batches), 'the same batches are cut the same').toEqual(parts)
})

test.each(SEEDS)('bisecting ends, with pieces that hold everything once (seed %i)', seed => {
  const batches = randomBatches(seed)
  const pieces: Batch[][] = []
  const cut = (part: readonly Batch[], depth: number): void => {
    expect(depth).toBeLessThan(24)
    const halves = bisect(part)
    if (!halves) return void pieces.push([...part])
    for (const half of halves) {
      expect(half.length).toBeGreaterThan(0)
      cut(half, depth + 1)
    }
  }
  cut(batches, 0)
  for (const { host } of batches) expect(contentOf(pieces.flat(), host.id)).toEqual(contentOf(batches, host.id))
  for (const [batch, ...more] of pieces) {
    expect(more).toEqual([])
    expect(Math.max(batch?.snapshots.length ?? 0, batch?.entries.length ?? 0)).toBeLessThanOrEqual(1)
  }
})

test('a batch of 120 snapshots is cut by time, the oldest part first', () => {
  const times = Array.from({ length: 120 }, (_, minute) => NOW + minute * 60_000)
  const batch = agentBatch('h1', [], { snapshots: times.map(at => snapshot(at, { metrics: metrics(45) })) })
  const parts = partsOf([batch])
  expect(parts.length).toBe(4)
  expect(parts.flat().flatMap(({ snapshots }) => snapshots.map(({ atMs }) => atMs))).toEqual(times)
})

test('long lines weigh as much as they are, so that a request stays about 1 MB', () => {
  const batch = agentBatch('h1', [], { entries: Array.from({ length: 60 }, (_, index) => entry(index, 60_000)) })
  for (const part of partsOf([batch]))
    expect(JSON.stringify(part).length).toBeLessThan(MAX_SAMPLES_PER_REQUEST * 512 + 10_000)
})

test('several hosts are halved by host, one host by its batches, then one batch by time', () => {
  const [a, b, c] = ['h1', 'h2', 'h3'].map(id => agentBatch(id, [NOW])) as [Batch, Batch, Batch]
  const later = agentBatch('h1', [NOW + 60_000])
  expect(bisect([a, b, later, c])).toEqual([[a, later, b], [c]])
  expect(bisect([a, later])).toEqual([[a], [later]])
  expect(bisect([agentBatch('h1', [1, 2, 3])])).toEqual([[agentBatch('h1', [1, 2])], [agentBatch('h1', [3])]])
  expect(bisect([a])).toBeUndefined()
  expect(bisect([])).toBeUndefined()
})

test('one part a host, in the order in which they come', () => {
  const batches = [agentBatch('h2', [1]), agentBatch('h1', [1]), agentBatch('h2', [2])]
  expect(partsByHost(batches)).toEqual([[batches[0], batches[2]], [batches[1]]])
})

test('nothing makes no part', () => {
  expect(partsOf([])).toEqual([])
})
