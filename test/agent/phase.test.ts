import { describe, expect, it } from 'vitest'
import { nextCollectAt, nextSnapshotTime } from '../../agent/phase.ts'

const MINUTE = 60_000
const at = (postAtMs: number | undefined, more: { lastMs?: number; intervalMs?: number; nowMs?: number } = {}) =>
  nextCollectAt({ lastMs: 0, intervalMs: MINUTE, nowMs: 100, ...more, postAtMs })

describe('nextCollectAt', () => {
  it.each([
    ['no grant', undefined, MINUTE],
    ['a grant of an earlier post', 50, MINUTE],
    ['right before the granted post', 41_250, 41_000],
    ['at the usual distance', MINUTE, MINUTE - 250],
    ['a little beyond an interval: one tick, not two', MINUTE + 2_000, MINUTE + 1_750],
    ['five intervals away: each of them', 5 * MINUTE, MINUTE - 250],
    ['too near to the last one: one interval later', 900, MINUTE + 650],
  ])('%s', (_, postAtMs, expected) => {
    expect(at(postAtMs)).toBe(expected)
  })

  it('skips ticks that a slow collection ran over', () => {
    expect(at(undefined, { nowMs: 130_000 })).toBe(180_000)
    expect(at(41_250, { nowMs: 130_000 })).toBe(180_000)
  })

  it('stays with an interval of a second', () => {
    expect(at(1_000, { intervalMs: 1_000 })).toBe(750)
    expect(at(300, { intervalMs: 1_000 })).toBe(1_050)
  })

  it('keeps its phase over many grants', () => {
    let lastMs = 0
    for (let post = 1; post < 50; post++) {
      const next = at(post * MINUTE + 7_000, { lastMs, nowMs: lastMs + 300 })
      expect(next).toBe(post * MINUTE + 6_750)
      lastMs = next
    }
  })
})

describe('nextSnapshotTime', () => {
  it('follows the clock, and never repeats or goes back', () => {
    expect(nextSnapshotTime(1_000, undefined)).toBe(1_000)
    expect(nextSnapshotTime(2_000, 1_000)).toBe(2_000)
    expect(nextSnapshotTime(1_000, 1_000)).toBe(1_001)
    expect(nextSnapshotTime(5, 1_000)).toBe(1_001)
  })

  it('goes back with a clock that was hours ahead: holding on would stamp hours of snapshots in the future', () => {
    const threeHours = 3 * 3_600_000
    expect(nextSnapshotTime(threeHours, 2 * threeHours)).toBe(threeHours)
    expect(nextSnapshotTime(60_000, 120_000)).toBe(120_001)
  })
})
