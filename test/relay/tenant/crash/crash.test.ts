import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { faultsOf } from './account.ts'
import type { Defect } from './storage.ts'
import { startWorld, type World } from './world.ts'

/**
 * An object that dies at any statement goes on where it was. 500 random histories of posts, deliveries, removals and
 * power cuts, each repeated by its seed, are accounted for after every restart and at the end.
 */
const STEPS = 50
const SEEDS_PER_TEST = 100

let network: World['send']
const realFetch = globalThis.fetch

beforeEach(() => {
  // The way out of the relay is the one global: what is behind it is in the test's hands.
  globalThis.fetch = (url, init) => network(String(url), init?.body as Uint8Array)
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'error').mockImplementation(() => {})
})

afterEach(() => {
  globalThis.fetch = realFetch
  vi.restoreAllMocks()
})

/** What went wrong in the history of this seed, and what it came across. */
async function live(seed: number, defect?: Defect) {
  const world = startWorld(seed, defect)
  network = world.send
  const faults: string[] = []
  await world.begin()
  for (let step = 0; step < STEPS && faults.length === 0; step += 1)
    if (await world.step()) faults.push(...faultsOf(world).map(fault => `step ${step}: ${fault}`))
  if (faults.length === 0) {
    await world.heal()
    faults.push(...faultsOf(world).map(fault => `at the end: ${fault}`))
    const waiting = world.object.deliveries.records.filter(
      record => world.object.deliveries.view(record).backlogBatches > 0,
    )
    faults.push(...waiting.map(({ name }) => `${name} still waits`))
  }
  return { faults: faults.map(fault => `seed ${seed}, ${fault}`), counts: world.counts }
}

test.each([0, 1, 2, 3, 4])(
  'nothing acknowledged is lost, doubled or reordered (hundred %i of seeds)',
  async hundred => {
    const seen = { crashes: 0, acked: 0, letters: 0, dropped: 0 }
    for (let seed = hundred * SEEDS_PER_TEST; seed < (hundred + 1) * SEEDS_PER_TEST; seed += 1) {
      const { faults, counts } = await live(seed)
      expect(faults).toEqual([])
      for (const key of ['crashes', 'acked', 'letters', 'dropped'] as const) seen[key] += counts[key]
    }
    // Or the histories would prove nothing.
    expect(seen.crashes).toBeGreaterThan(SEEDS_PER_TEST)
    expect(seen.acked).toBeGreaterThan(10 * SEEDS_PER_TEST)
    expect(seen.letters).toBeGreaterThan(10)
    expect(seen.dropped).toBeGreaterThan(10)
  },
)

test.each<Defect>(['forgets an outbox row', 'says synced too early'])(
  'a storage that %s is found out',
  async defect => {
    const found: string[] = []
    for (let seed = 0; seed < 50 && found.length === 0; seed += 1)
      found.push(...(await live(seed, defect).catch(error => ({ faults: [String(error)] }))).faults)
    expect(found).not.toEqual([])
  },
)
