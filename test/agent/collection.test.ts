import { expect, test } from 'vitest'
import type { BackupNews, Ledger } from '../../agent/backup/ledger.ts'
import { createCollection } from '../../agent/collection.ts'
import type { LogFollower } from '../../agent/logs/follower.ts'
import type { Parcel } from '../../agent/logs/pack.ts'
import { MemoryDisk } from './support/memory-files.ts'
import { itemAt, openMemorySpool, START_MS } from './support/spool.ts'

const NEWS: BackupNews = { backups: [], entries: [], reports: ['отчёт'] }

/** One round of the loop with a snapshot and two items of log lines, over a spool whose disk takes so many of them. */
async function collectOnce(takes: number) {
  const disk = new MemoryDisk()
  const spool = openMemorySpool(disk)
  const halt = new AbortController()
  const said: string[] = []
  const committed: { news: BackupNews[]; parcels: readonly Parcel[] } = { news: [], parcels: [] }
  let left = takes
  const ledger: Ledger = {
    news: () => NEWS,
    commit: news => committed.news.push(news),
    recall: () => ({ known: undefined, expectedSinceMs: undefined }),
  }
  const logs: LogFollower = {
    read: async () => [],
    pack: base => [base, itemAt(1), itemAt(2)].map(item => ({ item, tallies: [] })),
    commit: parcels => Object.assign(committed, { parcels }),
    views: [],
    totals: { entriesSpooled: 0, entriesLeftOut: 0, bytesPassedOver: 0 },
  }
  const collection = createCollection({
    sampler: { sample: async () => ({ metrics: { onec_cpu_percent: 1 }, series: [], problems: [] }) },
    ledger,
    logs,
    spool: {
      ...spool,
      problem: 'ENOSPC',
      append: (item, nowMs) => left-- > 0 && spool.append(item, nowMs),
    },
    settings: { current: () => ({ intervalMs: 60_000 }), refresh: async () => false },
    clock: { nowMs: () => START_MS, monoMs: () => 0, sleep: async () => {} },
    log: (level, message) => said.push(`${level} ${message}`),
    onSpooled: () => {},
    onTick: () => halt.abort(),
  })
  await collection.run(halt.signal)
  return { said, committed }
}

test('what the spool took is done with, and nothing else', async () => {
  const all = await collectOnce(3)
  expect(all.committed.parcels).toHaveLength(3)
  expect(all.committed.news).toEqual([NEWS])
  expect(all.said).toEqual([])
  const none = await collectOnce(0)
  expect(none.committed).toEqual({ news: [], parcels: [] })
  expect(none.said.join()).toMatch(/^error The spool cannot be written \(ENOSPC\): new snapshots are lost/)
})

test('a disk that is full behind the snapshot loses none, and says so', async () => {
  const { said, committed } = await collectOnce(2)
  expect(committed.parcels).toHaveLength(2)
  expect(committed.news).toEqual([NEWS])
  expect(said).toEqual([
    'error The spool cannot be written (ENOSPC): log lines wait in their files. Make room on its disk.',
  ])
})
