import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { Outbox, StateUnreadable } from '../../../relay/tenant/outbox.ts'
import { EMPTY_RING, type RingState } from '../../../relay/tenant/ring.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { batchItem, idOf, NOW, relayItem, replayItem } from './fixtures.ts'
import { migratedSql } from './node-storage.ts'

const item = (number: number) => batchItem({ id: idOf(number), receivedAtMs: NOW + number })

function setUp() {
  const database = new DatabaseSync(':memory:')
  const sql = migratedSql(database)
  const open = (ring: RingState = EMPTY_RING) => {
    const outbox = new Outbox(sql)
    return { outbox, since: outbox.recover(ring) }
  }
  return { database, open }
}

const idsOf = (rows: readonly (readonly { kind: string }[])[]) => rows.flat().map(one => (one as { id?: string }).id)

test('a row says what is in it without being opened', () => {
  const { outbox } = setUp().open()
  const row = outbox.append([item(1), relayItem(NOW + 9, 'h1', { onec_host_up: 1 })])
  expect(row).toEqual({ seq: 0, slot: 0, atMs: NOW + 9, batches: 1, samples: 2, bytes: row.bytes, removal: false })
  expect(outbox.append([{ kind: 'removal', atMs: NOW, hostId: 'h1' }])).toMatchObject({ seq: 1, removal: true })
  expect(outbox.bytes).toBe(outbox.from(0).reduce((sum, { bytes }) => sum + bytes, 0))
  expect(outbox.read(row)).toEqual([item(1), relayItem(NOW + 9, 'h1', { onec_host_up: 1 })])
})

test('a replay is one destination’s, also after a restart', () => {
  const { open } = setUp()
  const { outbox } = open()
  outbox.append([item(0)])
  outbox.append([replayItem('h1', [NOW])])
  outbox.append([item(2)])
  const { outbox: again } = open()
  for (const one of [outbox, again]) {
    expect(one.from(0)).toMatchObject([{ seq: 0 }, { seq: 1, destinationId: 'd1', batches: 0, samples: 1 }, { seq: 2 }])
    const seqs = (id: string) => one.backlog(0, id).map(({ seq }) => seq)
    expect([seqs('d1'), seqs('d2')]).toEqual([
      [0, 1, 2],
      [0, 2],
    ])
  }
})

test('rows are found from a number on, whichever were released', () => {
  const { outbox } = setUp().open()
  for (const number of [0, 1, 2, 3]) outbox.append([item(number)])
  outbox.checkpointed(outbox.releasable(2))
  const seqs = (from: number) => outbox.from(from).map(({ seq }) => seq)
  expect([seqs(0), seqs(3), seqs(4), seqs(99)]).toEqual([[2, 3], [3], [], []])
  outbox.checkpointed(outbox.releasable(4))
  expect(outbox).toMatchObject({ head: 4, bytes: 0 })
  outbox.append([item(4)])
  expect(seqs(0)).toEqual([4])
})

test('a restart finds the rows of the checkpoint, and what came since', () => {
  const { open } = setUp()
  const { outbox } = open()
  for (const number of [0, 1, 2]) outbox.append([item(number)])
  const ring = outbox.releasable(1)
  outbox.checkpointed(ring)
  outbox.append([item(3)])
  outbox.append([item(4)])

  const again = open(ring)
  expect(idsOf(again.since)).toEqual([idOf(3), idOf(4)])
  expect(again.outbox.from(0)).toEqual(outbox.from(0))
  expect(again.outbox).toMatchObject({ head: 5, bytes: outbox.bytes })
})

test.each([21, 22, 23])('rows, checkpoints and restarts in any order lose nothing (seed %i)', seed => {
  const random = seededRandom(seed)
  const { open } = setUp()
  let ring: RingState = EMPTY_RING
  let { outbox } = open()
  let tail = 0
  for (let step = 0; step < 150; step += 1) {
    const dice = random()
    if (dice < 0.6) outbox.append([item(outbox.head)])
    else if (dice < 0.85) {
      tail += Math.floor(random() * (outbox.head - tail + 1))
      ring = outbox.releasable(tail)
      outbox.checkpointed(ring)
    } else outbox = open(ring).outbox
    const rows = outbox.from(0)
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: outbox.head - tail }, (_, row) => tail + row))
    for (const row of rows) expect(outbox.read(row)).toMatchObject([{ id: idOf(row.seq) }])
  }
})

test.each([
  ['is gone', 'DELETE FROM outbox WHERE slot = 1'],
  ['was overwritten', 'UPDATE outbox SET seq = 77 WHERE slot = 1'],
])('a row that the checkpoint needs and that %s ends it', (_, spoil) => {
  const { database, open } = setUp()
  const { outbox } = open()
  for (const number of [0, 1, 2]) outbox.append([item(number)])
  database.exec(spoil)
  const row = outbox.from(1)[0]
  expect(() => open(outbox.ring)).toThrow(StateUnreadable)
  expect(() => row && outbox.read(row)).toThrow(StateUnreadable)
})
