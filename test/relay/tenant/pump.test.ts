import { describe, expect, test } from 'vitest'
import { abandon } from '../../../relay/tenant/pump.ts'
import type { Outcome } from '../../../shared/outcome.ts'
import { NOW, snapshot } from './fixtures.ts'
import { DELIVERED, HELD, LOST, MINUTE, posted, postedOf, REJECTED, RETRY, SUSPENDED, setUp } from './pump-setup.ts'

const metrics = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]))

/** Answers one after the other, then `delivered`. */
const inTurn = (...outcomes: readonly Outcome[]) => {
  const left = [...outcomes]
  return () => left.shift() ?? DELIVERED
}

describe('delivering', () => {
  test('rows share a request, and the cursor moves past them', async () => {
    const { row, run, asked, destination } = setUp()
    row(posted('h1', 0), posted('h2', 0))
    row(posted('h1', MINUTE))
    expect(await run()).toBe(3)
    expect(asked()).toEqual(['h1@0 h2@0 h1@60000'])
    expect(destination.memory).toMatchObject({ cursor: 2, deliveredBatches: 3, deliveredSamples: 3 })
    expect(destination.memory).toMatchObject({
      lastDeliveredAtMs: NOW,
      newestMs: new Map([
        ['h1', NOW + MINUTE],
        ['h2', NOW],
      ]),
    })
  })

  test('nothing to do asks nobody', async () => {
    const { run, asked } = setUp()
    expect(await run()).toBe(0)
    expect(asked()).toEqual([])
  })

  test('rows that come while a request is in flight wait for a flush of their own, to share it', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = content => {
      if (content === 'h1@0') row(posted('h1', MINUTE))
      return DELIVERED
    }
    await run()
    expect(asked()).toEqual(['h1@0'])
    expect(destination.memory.cursor).toBe(1)
    row(posted('h2', MINUTE))
    await run()
    expect(asked()).toEqual(['h1@60000 h2@60000'])
  })

  test('unless they fill a request: a backlog that grows meanwhile is delivered as fast as it comes', async () => {
    const { row, run, asked, world } = setUp()
    const full = (at: number) => postedOf('h1', [snapshot(NOW + at, { metrics: metrics(1_000) })])
    row(posted('h1', 0))
    world.answer = content => {
      if (content === 'h1@0') for (const at of [1, 2, 3]) row(full(at))
      return DELIVERED
    }
    await run()
    expect(asked()).toEqual(['h1@0', 'h1@1 h1@2'])
  })

  test('a request carries at most 2,000 samples; a larger batch is cut by time', async () => {
    const { row, run, asked, destination } = setUp()
    const full = (at: number) => postedOf('h1', [snapshot(NOW + at, { metrics: metrics(300) })])
    for (let at = 0; at < 8; at += 1) row(full(at))
    row(
      postedOf(
        'h2',
        Array.from({ length: 10 }, (_, at) => snapshot(NOW + at, { metrics: metrics(300) })),
      ),
    )
    await run()
    expect(asked().map(content => content.split(' ').length)).toEqual([6, 2, 5, 5])
    expect(destination.memory.cursor).toBe(9)
  })

  test('what does not concern a sink is passed over without a request', async () => {
    const { row, run, asked, destination } = setUp()
    row(postedOf('h1', []))
    await run()
    expect(asked()).toEqual([])
    expect(destination.memory.cursor).toBe(1)
  })

  test('partly taken is said, counted and never sent again', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = inTurn({ kind: 'partial', reason: 'HTTP 400: 3 entries too old' })
    await run()
    expect(asked()).toEqual(['h1@0'])
    expect(world.notes).toEqual(['partial: HTTP 400: 3 entries too old'])
    expect(destination.memory).toMatchObject({ cursor: 1, deadLetters: 0, state: 'active' })
  })

  test('a removed host is forgotten', async () => {
    const { row, run, destination } = setUp({}, { newestMs: new Map([['h1', NOW]]) })
    row({ kind: 'removal', atMs: NOW, hostId: 'h1' })
    await run()
    expect(destination.memory.newestMs).toEqual(new Map())
  })
})

describe('waiting', () => {
  test('a retry waits, and sends the same parts in the same order', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(
      postedOf(
        'h1',
        Array.from({ length: 10 }, (_, at) => snapshot(NOW + at, { metrics: metrics(300) })),
      ),
    )
    row(posted('h1', MINUTE))
    world.answer = inTurn(DELIVERED, RETRY, RETRY)
    expect(await run()).toBe(5)
    const [first, second] = asked()
    expect(destination.memory).toMatchObject({ state: 'backing-off', cursor: 0, nextAttemptAtMs: NOW + 500 })

    world.now = NOW + 499
    await run()
    expect(asked()).toEqual([])
    world.now = NOW + 500
    await run()
    expect(asked()).toEqual([second])
    expect(destination.memory).toMatchObject({ failures: 2, nextAttemptAtMs: NOW + 1_500 })

    world.now = NOW + 1_500
    await run()
    expect(asked()).toEqual([second, 'h1@60000'])
    expect(first).not.toBe(second)
    expect(destination.memory).toMatchObject({ state: 'active', cursor: 2, failures: 0, reason: null })
  })

  test('a Retry-After is honoured', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = inTurn({ kind: 'retry', reason: 'HTTP 429', status: 429, afterMs: 30_000, mayBeStored: false })
    await run()
    expect(destination.memory.nextAttemptAtMs).toBe(NOW + 30_000)
  })

  test('a suspended destination tries once in 15 minutes, keeps its data, and resumes itself', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = () => SUSPENDED
    await run()
    for (const minute of [1, 14, 15, 16, 29, 30]) {
      row(posted('h1', minute * MINUTE))
      world.now = NOW + minute * MINUTE
      await run()
    }
    expect(asked()).toEqual(['h1@0', 'h1@0', 'h1@0'])
    expect(world.notes).toEqual(['suspended: HTTP 401'])
    expect(destination.memory).toMatchObject({ state: 'suspended', cursor: 0, sinceMs: NOW })

    world.answer = () => DELIVERED
    world.now = NOW + 45 * MINUTE
    await run()
    expect(asked()).toEqual(['h1@0', 'h1@60000 h1@840000 h1@900000 h1@960000 h1@1740000 h1@1800000'])
    expect(world.notes.slice(1)).toEqual(['resumed: It answers again; it was suspended: HTTP 401'])
    expect(destination.memory).toMatchObject({ state: 'active', cursor: 7, reason: null })
  })
})

describe('refusals', () => {
  /** Refuses every request that has this in it. */
  const poison =
    (...bad: readonly string[]) =>
    (content: string) =>
      content.split(' ').some(one => bad.includes(one)) ? REJECTED : DELIVERED

  test('the part at fault is found by host, then by time, and it alone is a dead letter', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0), posted('h2', 0, 1, 2, 3), posted('h3', 0), posted('h4', 0))
    world.answer = poison('h2@2')
    await run()
    expect(world.letters).toEqual(['h2@2: HTTP 400: bad label'])
    expect(asked()).toEqual([
      'h1@0 h2@0 h2@1 h2@2 h2@3 h3@0 h4@0',
      'h1@0 h2@0 h2@1 h2@2 h2@3',
      'h1@0',
      'h2@0 h2@1 h2@2 h2@3',
      'h2@0 h2@1',
      'h2@2 h2@3',
      'h2@2',
      'h2@3',
      'h3@0 h4@0',
    ])
    expect(destination.memory).toMatchObject({ state: 'active', cursor: 1, deadLetters: 1, deliveredSamples: 6 })
  })

  test('a poison batch blocks neither the rows behind it nor the counts', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0))
    row(posted('h2', 0))
    world.answer = poison('h1@0')
    await run()
    expect(world.letters).toHaveLength(1)
    expect(destination.memory).toMatchObject({ cursor: 2, newestMs: new Map([['h2', NOW]]) })
  })

  test('finding it in a host’s batches costs at most 32 requests; what is left is buried in the parts it came to', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', ...Array.from({ length: 64 }, (_, index) => index)))
    world.answer = () => REJECTED
    await run()
    expect(asked().length - 1).toBe(32)
    const buried = world.letters.flatMap(letter => letter.split(': ')[0]?.split(' ') ?? [])
    expect(buried.toSorted()).toEqual(Array.from({ length: 64 }, (_, index) => `h1@${index}`).toSorted())
    expect(destination.memory).toMatchObject({ cursor: 1, deadLetters: world.letters.length })
  })

  test('a host at fault never takes another with it, however long the search in it was', async () => {
    const { row, run, world, destination } = setUp()
    const many = Array.from({ length: 64 }, (_, index) => index)
    row(posted('bad1', ...many), posted('good1', 0), posted('bad2', ...many), posted('good2', 0))
    world.answer = content => (content.includes('bad') ? REJECTED : DELIVERED)
    await run()
    expect(world.letters.filter(letter => letter.includes('good'))).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 1, deliveredSamples: 2 })
  })

  test('"out of order" of what was never sent is a fault, not a lost reply', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = () => HELD
    await run()
    expect(world.letters).toHaveLength(1)
    expect(destination.memory.unconfirmedBatches).toBe(0)
  })
})

describe('what may be held already', () => {
  test('after a lost reply, "out of order" counts as delivered, unconfirmed', async () => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0, MINUTE))
    row(posted('h1', 2 * MINUTE))
    world.answer = inTurn(LOST)
    await run()
    world.now += MINUTE
    world.answer = () => HELD
    await run()
    expect(asked()).toEqual([
      'h1@0 h1@60000 h1@120000',
      'h1@0 h1@60000 h1@120000',
      'h1@0 h1@60000',
      'h1@0',
      'h1@60000',
      'h1@120000',
    ])
    expect(world.letters).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 2, unconfirmedBatches: 3, deadLetters: 0 })
    expect(destination.memory.newestMs.get('h1')).toBe(NOW + 2 * MINUTE)
  })

  test('an answer in between does not make the first loss forgotten', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = inTurn(LOST, RETRY, HELD)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await run()
      world.now += MINUTE
    }
    expect(destination.memory).toMatchObject({ cursor: 1, unconfirmedBatches: 1, deadLetters: 0 })
  })

  test('of several hosts each is asked for by itself: a poison one among them is still found', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0), posted('h2', 0), posted('h3', 0))
    let lost = false
    world.answer = content => {
      if (!lost) {
        lost = true
        return LOST
      }
      if (content.includes('h1')) return HELD
      return content.includes('h2') ? REJECTED : DELIVERED
    }
    await run()
    world.now += MINUTE
    await run()
    expect(world.letters).toEqual(['h2@0: HTTP 400: bad label'])
    expect(destination.memory).toMatchObject({ cursor: 1, unconfirmedBatches: 1, deadLetters: 1, deliveredSamples: 1 })
  })

  test('asking each of many hosts does not use up what finding a poison one may cost', async () => {
    const { row, run, world, destination } = setUp()
    row(...Array.from({ length: 100 }, (_, index) => posted(`h${index}`, 0, 1)))
    world.answer = inTurn(LOST)
    await run()
    world.now += MINUTE
    world.answer = content => {
      if (!/^(h99@\d ?)+$/.test(content)) return HELD
      return content.includes('h99@1') ? REJECTED : DELIVERED
    }
    await run()
    expect(world.letters).toEqual(['h99@1: HTTP 400: bad label'])
    expect(destination.memory).toMatchObject({ cursor: 1, unconfirmedBatches: 198, deliveredSamples: 1 })
  })

  test('after a recovery uncertain rows go one by one, those behind them together', async () => {
    const { row, run, asked } = setUp({}, { uncertainBelow: 2 })
    for (const at of [0, 1, 2, 3]) row(posted('h1', at))
    await run()
    expect(asked()).toEqual(['h1@0', 'h1@1', 'h1@2 h1@3'])
  })

  test('a row that was delivered before the recovery is unconfirmed, one that was not is delivered', async () => {
    const { row, run, world, destination } = setUp({}, { uncertainBelow: 2 })
    row(posted('h1', 0, 1), posted('h2', 0, 1))
    row(posted('h1', 2))
    world.answer = content => (/@[01]/.test(content) ? HELD : DELIVERED)
    await run()
    expect(world.letters).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 2, unconfirmedBatches: 4, deliveredSamples: 1 })
  })

  test('of a host’s snapshots that are held in part, the others still arrive', async () => {
    const { row, run, asked, world, destination } = setUp({}, { uncertainBelow: 1 })
    row(posted('h1', 0, 1, 2, 3))
    world.answer = content => (/@[01]/.test(content) ? HELD : DELIVERED)
    await run()
    expect(asked().at(-1)).toBe('h1@2 h1@3')
    expect(world.letters).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 1, unconfirmedBatches: 2, deliveredSamples: 2 })
  })
})

describe('what nobody was asked, or nobody counted', () => {
  test('a removal that does not concern a sink is forgotten with its host', async () => {
    const encode = () => undefined
    const { row, run, destination } = setUp(
      { encode },
      {
        newestMs: new Map([
          ['h1', NOW],
          ['h2', NOW],
        ]),
      },
    )
    row({ kind: 'removal', atMs: NOW, hostId: 'h1' })
    await run()
    expect(destination.memory).toMatchObject({ cursor: 1, newestMs: new Map([['h2', NOW]]) })
  })

  test('rows that do not concern a suspended destination do not resume it', async () => {
    const { row, run, asked, world, destination } = setUp(
      {},
      { state: 'suspended', reason: 'HTTP 401', sinceMs: NOW, nextAttemptAtMs: NOW, failures: 1 },
    )
    row(posted('h1'))
    await run()
    expect(asked()).toEqual([])
    expect(world.notes).toEqual([])
    expect(destination.memory).toMatchObject({ cursor: 1, state: 'suspended', lastDeliveredAtMs: null })
  })

  test('what was taken in part is said, and not counted as delivered', async () => {
    const { row, run, world, destination } = setUp()
    row(posted('h1', 0))
    world.answer = () => ({ kind: 'partial', reason: 'HTTP 400: too old' })
    expect(await run()).toBe(0)
    expect(world.notes).toEqual(['partial: HTTP 400: too old'])
    expect(destination.memory).toMatchObject({ cursor: 1, deliveredSamples: 0 })
  })
})

describe('a store that takes samples only in order', () => {
  test('gets no snapshot that is not newer than its host’s newest delivered', async () => {
    const { row, run, asked, destination } = setUp({ strictOrder: true }, { newestMs: new Map([['h1', NOW + 5]]) })
    row(posted('h1', 4, 5, 6), posted('h2', 4))
    row(posted('h1', 3))
    await run()
    expect(asked()).toEqual(['h1@6 h2@4'])
    // Three snapshots of h1 are lost here: each is counted.
    const perSnapshot = Object.keys(snapshot(NOW).metrics).length + (snapshot(NOW).series?.length ?? 0)
    expect(destination.memory).toMatchObject({ cursor: 2, droppedSamples: 3 * perSnapshot })
  })

  test('learns of what it took in the same run, and counts what it leaves out also after a recovery', async () => {
    const { row, run, asked, destination } = setUp({ strictOrder: true }, { uncertainBelow: 9 })
    row(posted('h1', 9))
    row(posted('h1', 3))
    row(posted('h1', 10))
    await run()
    expect(asked()).toEqual(['h1@9', 'h1@10'])
    // A second machine with the host's token, or a clock set back: 3 came behind 9, and no store without a window has it.
    const perSnapshot = Object.keys(snapshot(NOW).metrics).length + (snapshot(NOW).series?.length ?? 0)
    expect(destination.memory.leftOut.get('h1')).toEqual({ age: 0, order: perSnapshot })
  })

  test('also not when both are in hand at once, in two requests', async () => {
    const { row, run, asked, world, destination } = setUp({ strictOrder: true })
    const full = (...times: readonly number[]) =>
      postedOf(
        'h1',
        times.map(at => snapshot(NOW + at, { metrics: metrics(900) })),
      )
    row(full(10, 11), full(8, 9, 12))
    await run()
    expect(asked()).toEqual(['h1@10 h1@11', 'h1@12'])
    expect(world.letters).toEqual([])
    expect(destination.memory.leftOut.get('h1')).toEqual({ age: 0, order: 2 * 900 })
  })

  test('others get everything', async () => {
    const { row, run, asked } = setUp({}, { newestMs: new Map([['h1', NOW + 5]]) })
    row(posted('h1', 4))
    await run()
    expect(asked()).toEqual(['h1@4'])
  })
})

test('a slow destination keeps to its budget between requests, though its pump never rests', async () => {
  const { row, run, asked, world, destination } = setUp({}, { uncertainBelow: 9 })
  for (const at of [0, 1, 2, 3]) row(posted('h1', at))
  world.answer = content => {
    // While the first request took its time, the next two rows became too old.
    if (content === 'h1@0')
      world.enforce = () => {
        destination.memory = { ...destination.memory, cursor: Math.max(destination.memory.cursor, 3) }
      }
    return DELIVERED
  }
  await run()
  expect(asked()).toEqual(['h1@0', 'h1@3'])
  expect(destination.memory.cursor).toBe(4)
})

test('work that is given up counts what was settled of it as that, and answers the rest', async () => {
  const { row, run, asked, world, destination, ports } = setUp()
  const full = (at: number) => snapshot(NOW + at, { metrics: metrics(300) })
  row(postedOf('h1', [0, 1, 2, 3, 4, 5, 6, 7].map(full)), posted('bad', 8))
  world.answer = content => (content.includes('bad') ? REJECTED : content.includes('h1@4') ? RETRY : DELIVERED)
  await run()
  expect(asked()).toEqual(['h1@0 h1@1 h1@2 h1@3', 'h1@4 h1@5 h1@6 h1@7 bad@8', 'h1@4 h1@5 h1@6 h1@7'])
  const { work } = destination
  if (!work) throw new Error('nothing is in hand')
  expect(abandon(destination, work, ports)).toBe(4 * 300 + 1)
  expect(destination.work).toBeUndefined()
  expect(destination.memory).toMatchObject({ cursor: 1, deliveredSamples: 4, deliveredBatches: 0, deadLetters: 0 })
})

describe('a 500 that repeats', () => {
  const BROKEN: Outcome = { kind: 'retry', reason: 'HTTP 500: duplicate label', status: 500, mayBeStored: true }

  /** Runs the pump until `asked` has `count` requests, each time when the back-off is over. */
  async function runFor({ run, world }: ReturnType<typeof setUp>, attempts: number) {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      await run()
      world.now += 10 * MINUTE
    }
  }

  test('is a poison request when the relay’s own samples are taken: only the part at fault is lost', async () => {
    const world = setUp()
    world.row(posted('h1', 0), posted('h2', 0), posted('h3', 0))
    world.world.answer = content => (content.includes('h2') ? BROKEN : DELIVERED)
    await runFor(world, 6)
    expect(world.world.letters).toEqual(['h2@0: HTTP 500: duplicate label'])
    expect(world.asked()).toEqual([...Array(5).fill('h1@0 h2@0 h3@0'), 'probe', 'h1@0 h2@0', 'h1@0', 'h2@0', 'h3@0'])
    expect(world.destination.memory).toMatchObject({ cursor: 1, state: 'active', deadLetters: 1, deliveredSamples: 2 })
  })

  test('only counts 500s in a row: an outage before them proves nothing', async () => {
    const world = setUp()
    world.row(posted('h1', 0))
    world.world.answer = () => LOST
    await runFor(world, 4)
    world.world.answer = content => (content === 'probe' ? DELIVERED : BROKEN)
    await runFor(world, 4)
    expect(world.asked()).not.toContain('probe')
    expect(world.world.letters).toEqual([])
  })

  test('is an outage when they are refused too: nothing is lost', async () => {
    const world = setUp()
    world.row(posted('h1', 0))
    world.world.answer = () => BROKEN
    await runFor(world, 8)
    expect(world.world.letters).toEqual([])
    expect(world.asked().filter(content => content === 'probe')).toHaveLength(4)
    world.world.answer = () => DELIVERED
    await world.run()
    expect(world.destination.memory).toMatchObject({ cursor: 1, deadLetters: 0, deliveredSamples: 1 })
  })
})

describe('edited or removed while a request is in flight', () => {
  test.each([DELIVERED, RETRY, SUSPENDED, REJECTED])('its outcome changes nothing more', async outcome => {
    const { row, run, asked, world, destination } = setUp()
    row(posted('h1', 0))
    row(posted('h1', MINUTE))
    const before = destination.memory
    world.answer = () => {
      destination.closed = true
      return outcome
    }
    expect(await run()).toBe(0)
    expect(asked()).toHaveLength(1)
    expect(destination.memory).toBe(before)
    expect([...world.letters, ...world.notes]).toEqual([])
  })
})
