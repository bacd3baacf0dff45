import { expect, test } from 'vitest'
import { cutBySize, lettersOf, overBound } from '../../../relay/tenant/dead-letter.ts'
import { decodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { encodeRow } from '../../../relay/tenant/row.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { agentBatch, NOW } from './fixtures.ts'

const refusal = (batches: ReturnType<typeof agentBatch>[]) => ({
  atMs: NOW,
  destination: { id: 'd1', name: 'Облако' },
  batches,
  samples: 7,
  reason: 'HTTP 400: out of bounds',
  samplesOf: (some: readonly unknown[]) => some.length * 100,
})

test('a refused part is one letter, which says of whom, from when to when and why', () => {
  const entries = [{ atMs: NOW - 9, level: 'info', message: 'Копия готова' } as const]
  const batches = [agentBatch('h1', [NOW + 5, NOW + 1], { entries }), agentBatch('h1', [NOW + 2])]
  const [letter, ...more] = lettersOf(refusal(batches))
  expect(more).toEqual([])
  expect(letter).toMatchObject({
    atMs: NOW,
    destination: 'Облако',
    destinationId: 'd1',
    host: 'БУХ-h1',
    hostId: 'h1',
    fromMs: NOW - 9,
    toMs: NOW + 5,
    samples: 7,
    reason: 'HTTP 400: out of bounds',
  })
  expect(decodeLetter(letter?.body ?? new Uint8Array())).toMatchObject(batches.map(({ tenant, ...rest }) => rest))
})

test('several hosts are a letter each, and a removal has no time', () => {
  const removal = agentBatch('h2', [], { source: 'relay', removed: true })
  const letters = lettersOf(refusal([agentBatch('h1', [NOW]), removal, agentBatch('h1', [NOW + 1])]))
  expect(letters.map(({ hostId, fromMs, toMs, samples }) => [hostId, fromMs, toMs, samples])).toEqual([
    ['h1', NOW, NOW + 1, 200],
    ['h2', null, null, 100],
  ])
})

/** A whole request of log lines that do not compress: three bytes a character. */
function longLines() {
  const random = seededRandom(5)
  const line = () =>
    String.fromCodePoint(...Array.from({ length: 40_000 }, () => 0x4e00 + Math.floor(random() * 20_000)))
  return Array.from({ length: 25 }, (_, index) =>
    agentBatch('h1', [], {
      entries: Array.from({ length: 2 }, () => ({ atMs: NOW + index, level: 'info', message: line() }) as const),
    }),
  )
}

test('what is too large for a row of 1 MB is several letters, and nothing of it is lost', () => {
  const batches = longLines()
  const letters = lettersOf(refusal(batches))
  expect(letters.length).toBeGreaterThan(2)
  for (const { body } of letters)
    expect(encodeRow([{ kind: 'replay', atMs: NOW, destinationId: 'd1', samples: 1, body }]).length).toBeLessThan(
      1024 * 1024,
    )
  expect(letters.flatMap(({ body }) => decodeLetter(body)).flatMap(({ entries }) => entries)).toEqual(
    batches.flatMap(({ entries }) => entries),
  )
  expect(letters.reduce((sum, { samples }) => sum + samples, 0)).toBe(2_500)
})

test('a batch by itself is not cut', () => {
  expect(cutBySize([agentBatch('h1', [NOW])], 1)).toHaveLength(1)
})

test.each([
  ['nothing', [], 0],
  ['exactly as much as may be', [5, 5], 0],
  ['one letter too many', [1, 1, 1], 1],
  ['a byte too much', [1, 10], 1],
  ['one that is too large by itself', [1, 11], 2],
  ['both', [1, 1, 5, 6], 3],
])('%s', (_, sizes, over) => {
  expect(
    overBound(
      sizes.map(bytes => ({ bytes })),
      { letters: 2, bytes: 10 },
    ),
  ).toBe(over)
})
