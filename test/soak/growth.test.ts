import { expect, test } from 'vitest'
import { growthOf } from './growth.ts'
import type { Sighting } from './observe.ts'

const STRETCHES = { first: 2_000, last: 10_000, stretch: 2_000 }

/** A sighting every ten snapshots, its memory a function of them. */
function sightings(rssMb: (snapshots: number) => number): Sighting[] {
  return Array.from({ length: 1_000 }, (_, index) => {
    const snapshots = index * 10
    return { snapshots, rssMb: rssMb(snapshots), anonMb: 0, handles: 20, threads: 11, spoolBytes: 0, asideFiles: 0 }
  })
}

test('a leak is found under the rise and fall of collections', () => {
  const leaking = sightings(snapshots => 70 + (snapshots % 130) / 26 + (snapshots / 1_000) * 0.5)
  const { fitted, from, to } = growthOf(leaking, 'rssMb', STRETCHES)
  expect(fitted).toBeCloseTo(4, 0)
  expect(to - from).toBeCloseTo(3, 0)
})

test('what only rises and falls does not grow', () => {
  const { fitted } = growthOf(
    sightings(snapshots => 70 + (snapshots % 130) / 26),
    'rssMb',
    STRETCHES,
  )
  expect(Math.abs(fitted)).toBeLessThan(0.1)
})

test('one odd stretch does not make a trend', () => {
  const odd = sightings(snapshots => (snapshots >= 6_000 && snapshots < 8_000 ? 90 : 70))
  expect(growthOf(odd, 'rssMb', STRETCHES).fitted).toBe(0)
})

test('what nobody looked at is not called steady', () => {
  expect(() => growthOf([], 'rssMb', STRETCHES)).toThrow('nobody looked between 2000 and 4000')
})
