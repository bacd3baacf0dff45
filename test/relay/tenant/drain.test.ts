import { describe, expect, test } from 'vitest'
import { nextDrainInMs } from '../../../relay/tenant/drain.ts'
import { NOW } from './fixtures.ts'

const INTERVAL_MS = 60_000

/** When each of so many hosts that ask at NOW gets its turn. */
function turns(count: number, waitingSamples: number): number[] {
  let freeAtMs = 0
  return Array.from({ length: count }, () => {
    const turn = nextDrainInMs({ waitingSamples, freeAtMs }, NOW)
    freeAtMs = turn.freeAtMs
    return turn.inMs
  })
}

test('a host alone drains four batches a second', () => {
  expect(turns(1, 0)).toEqual([250])
})

test('hosts take turns: ten batches a second together', () => {
  expect(turns(4, 0)).toEqual([250, 350, 450, 550])
  expect(turns(4, 16_000)).toEqual([250, 350, 450, 550])
})

test('while a destination has enough to do, two a second', () => {
  expect(turns(3, 16_001)).toEqual([250, 750, 1_250])
})

test('nobody waits longer than two minutes, whatever was given out before', () => {
  expect(nextDrainInMs({ waitingSamples: 1e9, freeAtMs: NOW + 3_600_000 }, NOW).inMs).toBe(120_000)
  expect(Math.max(...turns(1_000, 1e9))).toBe(120_000)
})

describe('a hundred hosts that were away for three hours', () => {
  /** Samples in a draining batch, as the agent cuts them: ten snapshots. A request takes 2,000. */
  const SAMPLES = 10 * 45
  const BATCHES = (3 * 60) / 10
  const FLUSH_MS = 2_000

  /** Live rows, one a second, at a destination that answers after `replyMs`, one request in flight, in order of arrival. */
  function drain(replyMs: number): { readonly liveDelaysMs: number[]; readonly drainedInMs: number } {
    const left = new Map(Array.from({ length: 100 }, (_, index) => [index, BATCHES]))
    // They were all waiting for the relay.
    const dueMs = new Map([...left.keys()].map(host => [host, host * 10]))
    const liveDelaysMs: number[] = []
    const queue: { atMs: number; samples: number; live: boolean }[] = []
    let freeAtMs = 0
    let busyUntilMs = 0
    let drainedInMs = 0
    for (let now = 0; now < 1_800_000 && (left.size > 0 || queue.length > 0); now += 10) {
      if (now % 1_000 === 0) queue.push({ atMs: now, samples: 45, live: true })
      for (const [host, batches] of left) {
        if ((dueMs.get(host) ?? 0) > now) continue
        queue.push({ atMs: now, samples: SAMPLES, live: false })
        if (batches === 1) left.delete(host)
        else left.set(host, batches - 1)
        const waitingSamples = queue.reduce((sum, row) => sum + row.samples, 0)
        const turn = nextDrainInMs({ waitingSamples, freeAtMs }, now)
        freeAtMs = turn.freeAtMs
        dueMs.set(host, now + turn.inMs)
        drainedInMs = now
      }
      const oldest = queue[0]
      if (now < busyUntilMs || !oldest || now - oldest.atMs < FLUSH_MS) continue
      let samples = 0
      const end = queue.findIndex((row, index) => {
        samples += row.samples
        return index > 0 && samples > 2_000
      })
      const sent = queue.splice(0, end === -1 ? queue.length : end)
      busyUntilMs = now + replyMs
      for (const row of sent) if (row.live) liveDelaysMs.push(busyUntilMs - row.atMs)
    }
    return { liveDelaysMs, drainedInMs }
  }

  test.each([
    [20, 5_000, 5],
    [150, 10_000, 5],
    [1_000, 50_000, 15],
  ])(
    'where a request takes %i ms, delay live hosts by less than %i ms and are done in %i min',
    (replyMs, delayMs, minutes) => {
      const { liveDelaysMs, drainedInMs } = drain(replyMs)
      expect(Math.max(...liveDelaysMs)).toBeLessThan(Math.min(delayMs, INTERVAL_MS))
      expect(drainedInMs).toBeLessThan(minutes * 60_000)
      expect(drainedInMs).toBeGreaterThan(30_000)
    },
  )
})
