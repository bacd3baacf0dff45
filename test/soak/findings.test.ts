import { expect, test } from 'vitest'
import { findingsOf } from './findings.ts'
import type { Sighting } from './observe.ts'
import type { Soaked } from './soak.ts'

const OPTIONS = { snapshots: 10_000, paceMs: 40, spoolBytes: 1_000 }

function soaked(change: { account?: object; sighting?: (snapshots: number) => Partial<Sighting> } = {}): Soaked {
  const steady = { rssMb: 66, anonMb: 21, handles: 24, threads: 11, spoolBytes: 990, asideFiles: 1 }
  const sightings = Array.from({ length: 1_000 }, (_, index) => {
    const snapshots = index * 10
    return { snapshots, ...steady, ...change.sighting?.(snapshots) }
  })
  const account = { taken: 10_000, delivered: 9_000, dropped: 1_000, pending: 0, aside: 0, missing: 0 }
  return { sightings, account: { ...account, ...change.account }, posts: { up: 5_000 }, defects: [] }
}

const failures = (run: Soaked) => findingsOf(run, OPTIONS).failures

test('a run in which all holds has no failure', () => {
  expect(failures(soaked())).toEqual([])
})

test.each<[string, Soaked]>([
  ['RSS grew by 4.0 MB', soaked({ sighting: snapshots => ({ rssMb: 60 + snapshots / 2_000 }) })],
  [
    'open handles grew from 23 to 29',
    soaked({ sighting: snapshots => ({ handles: 20 + Math.floor(snapshots / 1_000) }) }),
  ],
  ['the spool had 1200 bytes', soaked({ sighting: () => ({ spoolBytes: 1_200 }) })],
  ['2 snapshots are not accounted for', soaked({ account: { missing: 2 } })],
  ['no outage was long enough to reach the bound of the spool', soaked({ account: { dropped: 0 } })],
  ['posts that no relay would take: batch_invalid: no', { ...soaked(), defects: ['batch_invalid: no'] }],
])('%s', (words, run) => {
  expect(failures(run)).toEqual([words])
})
