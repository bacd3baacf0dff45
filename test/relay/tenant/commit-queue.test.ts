import { expect, test } from 'vitest'
import { CommitQueue, MAX_PENDING_BYTES } from '../../../relay/tenant/commit-queue.ts'
import { type BatchItem, encodeRow } from '../../../relay/tenant/row.ts'
import { batchItem, idOf, report } from './fixtures.ts'

/** A queue whose writes end when `finish` says so. */
function setUp() {
  const rows: (readonly BatchItem[])[] = []
  const writes: (() => void)[] = []
  const queue = new CommitQueue(items => {
    rows.push(items)
    return new Promise(resolve => writes.push(resolve))
  })
  /** Ends the oldest write, and lets what waits for it go on. */
  const finish = async () => {
    writes.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return { queue, rows, finish, written: () => rows.map(items => items.map(({ id }) => Number(id.replace(/^A+/, '')))) }
}

const item = (number: number, bodyBytes = 100) => batchItem({ id: idOf(number), body: new Uint8Array(bodyBytes) })

test('a lone post waits for nobody', () => {
  const { queue, written } = setUp()
  void queue.commit(item(1))
  expect(written()).toEqual([[1]])
})

test('posts that come during a write share the next row, in their order', async () => {
  const { queue, finish, written } = setUp()
  for (const number of [1, 2, 3, 4]) void queue.commit(item(number))
  await finish()
  expect(written()).toEqual([[1], [2, 3, 4]])
})

test('nobody is answered before his row is on disk', async () => {
  const { queue, finish } = setUp()
  const answered: number[] = []
  for (const number of [1, 2, 3]) void queue.commit(item(number)).then(() => answered.push(number))
  await Promise.resolve()
  expect(answered).toEqual([])
  await finish()
  expect(answered).toEqual([1])
  await finish()
  expect(answered).toEqual([1, 2, 3])
})

test('a row stays under 1 MB, and one batch that is more by itself still goes', async () => {
  const { queue, rows, finish, written } = setUp()
  void queue.commit(item(1))
  for (const number of [2, 3, 4]) void queue.commit(item(number, 500 * 1024))
  void queue.commit(item(5, 2 * 1024 * 1024))
  for (let write = 0; write < 5; write += 1) await finish()
  expect(written()).toEqual([[1], [2, 3], [4], [5]])
  expect(encodeRow(rows[1] ?? []).length).toBeLessThan(1024 * 1024)
})

test('backups that unpack to much count too', async () => {
  const { queue, rows, finish } = setUp()
  const backups = Array.from({ length: 50 }, () => report({ reason: 'ж'.repeat(500) }))
  for (let number = 0; number < 60; number += 1) void queue.commit(batchItem({ id: idOf(number), backups }))
  for (let write = 0; write < 60; write += 1) await finish()
  for (const row of rows) expect(encodeRow(row).length).toBeLessThan(1024 * 1024)
  expect(rows.flat()).toHaveLength(60)
})

test('what waits is bounded, and has room again when it is written', async () => {
  const { queue, finish } = setUp()
  const large = item(1, 1024 * 1024)
  let taken = 0
  for (; queue.hasRoomFor(large); taken += 1) void queue.commit(large)
  expect(taken).toBe(Math.floor(MAX_PENDING_BYTES / (1024 * 1024 + 1024)))
  expect(queue.hasRoomFor(item(2)), 'a small one still fits').toBe(true)
  await finish()
  expect(queue.hasRoomFor(large)).toBe(true)
})
