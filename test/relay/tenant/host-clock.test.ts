import { describe, expect, test } from 'vitest'
import { afterPost, correctedTimes, type HostClock, NEW_CLOCK, offsetOf } from '../../../relay/tenant/host-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { NOW } from './fixtures.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** One post: what the host's clock is off by, how late it arrives, how old its snapshots are when it is sent. */
interface Step {
  readonly skewMs: number
  readonly lateMs?: number
  readonly agesMs?: readonly number[]
  readonly isNew?: boolean
}

/** Posts sent a minute apart; answers what each was corrected by, and its snapshots' times since the first was sent. */
function play(steps: readonly Step[], before: HostClock = NEW_CLOCK) {
  let clock = before
  const played = steps.map(({ skewMs, lateMs = 0, agesMs = [0], isNew = true }, index) => {
    const receivedAtMs = NOW + index * MINUTE + lateMs
    const sentAtMs = NOW + index * MINUTE + skewMs
    const atMs = agesMs.map(ageMs => sentAtMs - ageMs)
    const post = {
      receivedAtMs,
      sentAtMs,
      oldestAtMs: atMs.length === 0 ? null : Math.min(...atMs),
      newestAtMs: atMs.length === 0 ? null : Math.max(...atMs),
      intervalMs: MINUTE,
      isNew,
    }
    const offsetMs = offsetOf(clock, post)
    clock = afterPost(clock, post, offsetMs)
    return { offsetMs, atMs: correctedTimes(atMs, { receivedAtMs, offsetMs }).map(time => time - NOW) }
  })
  return { offsets: played.map(({ offsetMs }) => offsetMs), times: played.flatMap(({ atMs }) => atMs), clock }
}

const skews = (...list: readonly number[]) => list.map(skewMs => ({ skewMs }))

describe('an offset is set when three posts in a row agree', () => {
  test.each([
    ['a right clock', [0, -200, 300], 0],
    ['60 s off is right', [-60_000, -60_000, -60_000], 0],
    ['61 s behind is wrong', [-61_000, -61_000, -61_000], -61_000],
    ['two are not enough', [-2 * HOUR, -2 * HOUR], 0],
    ['30 s apart agree, and the least late is the truest', [-2 * HOUR - 30_000, -2 * HOUR, -2 * HOUR - 1], -2 * HOUR],
    ['31 s apart do not', [-2 * HOUR - 31_000, -2 * HOUR, -2 * HOUR], 0],
    ['not three in a row', [-2 * HOUR, -2 * HOUR, 0, -2 * HOUR, -2 * HOUR], 0],
    ['taken back when three say right', [2 * HOUR, 2 * HOUR, 2 * HOUR, 0, 0, 0], 0],
    ['two that say right are not enough', [2 * HOUR, 2 * HOUR, 2 * HOUR, 0, 0], 2 * HOUR],
    ['between right and wrong it stays', [70_000, 70_000, 70_000, 45_000, 45_000, 45_000], 70_000],
    [
      'a drift is followed',
      [-2 * HOUR, -2 * HOUR, -2 * HOUR, ...Array(3).fill(-2 * HOUR - 31_000)],
      -2 * HOUR - 31_000,
    ],
  ] as const)('%s', (_, list, offsetMs) => {
    expect(play(skews(...list)).clock.offsetMs).toBe(offsetMs)
  })
})

describe('what a batch is corrected by', () => {
  test('a clock ahead takes its own skew at once', () => {
    expect(play(skews(2 * HOUR, 2 * HOUR - 300)).offsets).toEqual([2 * HOUR, 2 * HOUR - 300])
    expect(play(skews(60_001)).offsets).toEqual([60_001])
    expect(play(skews(60_000)).offsets).toEqual([0])
  })

  test('a clock behind waits for three, the third is corrected', () => {
    expect(play(skews(-2 * HOUR, -2 * HOUR, -2 * HOUR)).offsets).toEqual([0, 0, -2 * HOUR])
  })

  test('a post that hung is not a wrong clock', () => {
    const hung = (skewMs: number) => ({ skewMs, lateMs: 70_000 })
    expect(play([...skews(0, 0), hung(0), ...skews(0)]).offsets).toEqual([0, 0, 0, 0])
    const ahead = [...skews(2 * HOUR, 2 * HOUR, 2 * HOUR), hung(2 * HOUR), ...skews(2 * HOUR)]
    expect(play(ahead).offsets).toEqual(Array(5).fill(2 * HOUR))
  })

  test('a clock that was put right is right at once, since its time would go back', () => {
    const { offsets, times } = play(skews(2 * HOUR, 2 * HOUR, 2 * HOUR, 0, 0, 0))
    expect(offsets.slice(3)).toEqual([0, 0, 0])
    expect(times).toEqual([0, 1, 2, 3, 4, 5].map(minute => minute * MINUTE))
    expect(play(skews(-2 * HOUR, -2 * HOUR, -2 * HOUR, 0)).times.at(-1)).toBe(3 * MINUTE)
  })

  test('a clock that was set back goes on at its own skew', () => {
    expect(play(skews(0, 0, -2 * HOUR)).times).toEqual([0, MINUTE, 2 * MINUTE])
  })

  test('between the old and the new one, where the new one would take time back', () => {
    const { offsets, times } = play([{ skewMs: 2 * HOUR, lateMs: 70_000 }, ...skews(2 * HOUR, 2 * HOUR)])
    // The first hung, so its snapshot is 70 s too late: the second one's, a minute later, comes right after it.
    expect(times).toEqual([70_000, 70_001, 2 * MINUTE])
    expect(offsets).toEqual([2 * HOUR - 70_000, 2 * HOUR - 10_001, 2 * HOUR])
  })

  test('a clock that was set ahead between two snapshots of a batch', () => {
    const { times } = play([...skews(0), { skewMs: 2 * HOUR, agesMs: [2 * HOUR + 30_000, 0] }])
    // Their distance is wrong; the older one goes on from the last, the newer one is taken to be of now.
    expect(times).toEqual([0, 1, MINUTE])
  })

  test('old data that is sent again is not shifted forward', () => {
    const wrong = play(skews(2 * HOUR, 2 * HOUR, 2 * HOUR)).clock
    const backlog = { skewMs: 0, agesMs: [3 * HOUR] }
    expect(play([backlog], wrong).times).toEqual([-5 * HOUR])
    const right = play(skews(0, 0, 0)).clock
    // A machine restored with the clock of its snapshot sends what was fresh then.
    expect(play([{ skewMs: -2 * HOUR, isNew: false }], right).times).toEqual([-2 * HOUR])
    expect(play([{ skewMs: -2 * HOUR }], right).times, 'new data of a clock that was set back is').toEqual([0])
  })

  test('a post without snapshots counts for the clock', () => {
    const empty = { skewMs: -2 * HOUR, agesMs: [] }
    const { offsets, clock } = play([empty, empty, empty])
    expect(offsets).toEqual([0, 0, -2 * HOUR])
    expect(clock.newestAtMs).toBeNull()
  })
})

test('what was taken before a clock was set back is not in the future either', () => {
  const batch = { receivedAtMs: NOW, offsetMs: 0 }
  expect(correctedTimes([NOW + HOUR, NOW + HOUR + MINUTE, NOW - SECOND], batch)).toEqual([
    NOW - MINUTE,
    NOW,
    NOW - SECOND,
  ])
  expect(correctedTimes([NOW + MINUTE], batch)).toEqual([NOW + MINUTE])
  expect(correctedTimes([], batch)).toEqual([])
  expect(correctedTimes([NOW], { receivedAtMs: NOW })).toEqual([NOW])
})

/** A host for some hundred posts: what the wall clock is off by changes, posts are late, some come as a backlog. */
function simulate(seed: number, options: { readonly isRight: boolean }) {
  const random = seededRandom(seed)
  const pick = (from: number, to: number) => from + random() * (to - from)
  const intervalMs = random() < 0.5 ? 5 * SECOND : MINUTE
  const wrong = () => (random() < 0.5 ? -1 : 1) * pick(100 * SECOND, 3 * HOUR)
  const error = () => (options.isRight || random() < 0.4 ? pick(-1, 1) * SECOND : wrong())
  let clock = NEW_CLOCK
  let nowMs = NOW
  let errorMs = error()
  let driftMs = 0
  let sinceChange = 0
  let sinceHung = 0
  const posts = Array.from({ length: 300 }, () => {
    // A step of the clock, or a crystal that loses up to a second an hour.
    sinceChange += 1
    if (random() < 0.03) {
      errorMs = error()
      driftMs = options.isRight ? 0 : pick(-1, 1) * (intervalMs / HOUR) * SECOND
      sinceChange = 0
    }
    errorMs += driftMs
    const offlineIntervals = random() < 0.05 && sinceChange > 0 ? Math.floor(pick(2, 30)) : 1
    const takenMs = Array.from({ length: offlineIntervals }, (_, index) => nowMs + (index + 1) * intervalMs)
    nowMs = takenMs.at(-1) ?? nowMs
    sinceHung += 1
    const isHung = random() < 0.04 && sinceHung > 3
    if (isHung) sinceHung = 0
    const sentAtMs = nowMs + pick(0, 1_000)
    const receivedAtMs = Math.round(sentAtMs + (isHung ? 70 * SECOND : pick(5, 2_000)))
    const hostTimes = takenMs.map(atMs => Math.round(atMs + errorMs))
    const post = {
      receivedAtMs,
      sentAtMs: Math.round(sentAtMs + errorMs),
      oldestAtMs: Math.min(...hostTimes),
      newestAtMs: Math.max(...hostTimes),
      intervalMs,
      isNew: true,
    }
    const known = clock
    const offsetMs = offsetOf(clock, post)
    clock = afterPost(clock, post, offsetMs)
    const atMs = correctedTimes(hostTimes, { receivedAtMs, offsetMs })
    nowMs = Math.max(nowMs, receivedAtMs)
    return { known, offsetMs, atMs, takenMs, receivedAtMs, isSettled: sinceChange > 3 && sinceHung > 3 }
  })
  return posts
}

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1)

test('a right clock is never touched, however late its posts are', () => {
  for (const seed of SEEDS)
    for (const { offsetMs, atMs, takenMs } of simulate(seed, { isRight: true })) {
      expect(offsetMs, `seed ${seed}`).toBe(0)
      atMs.forEach((time, index) => {
        expect(Math.abs(time - (takenMs[index] ?? 0)), `seed ${seed}`).toBeLessThanOrEqual(SECOND + 1)
      })
    }
})

test('no time lies in the future, new ones never go back, and an offset that is set gives the true time', () => {
  let settled = 0
  let corrected = 0
  for (const seed of SEEDS)
    for (const { known, atMs, takenMs, receivedAtMs, offsetMs, isSettled } of simulate(seed, { isRight: false })) {
      const name = `seed ${seed}, ${new Date(receivedAtMs).toISOString()}`
      expect(Math.max(...atMs), name).toBeLessThanOrEqual(receivedAtMs + MINUTE)
      expect(
        atMs.toSorted((one, other) => one - other),
        name,
      ).toEqual(atMs)
      if (known.newestAtMs !== null) expect(atMs[0], name).toBeGreaterThan(known.newestAtMs)
      if (offsetMs !== 0) corrected += 1
      if (!isSettled) continue
      settled += 1
      atMs.forEach((time, index) => {
        expect(Math.abs(time - (takenMs[index] ?? 0)), name).toBeLessThanOrEqual(MINUTE)
      })
    }
  expect(settled).toBeGreaterThan(10_000)
  expect(corrected).toBeGreaterThan(10_000)
})
