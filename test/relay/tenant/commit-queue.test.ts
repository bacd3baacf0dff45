import { expect, test } from 'vitest'
import { CommitQueue, MAX_PENDING_BYTES } from '../../../relay/tenant/commit-queue.ts'
import { type BatchItem, encodeRow } from '../../../relay/tenant/row.ts'
import { batchItem, idOf, report } from './fixtures.ts'

/** A queue whose writes end when `finish` says so, and whose waits when `wait` does; `due`: posts that are coming in. */
function setUp(due = 0) {
  const waits: (() => void)[] = []
  const rows: (readonly BatchItem[])[] = []
  const writes: (() => void)[] = []
  const queue = new CommitQueue(
    items => {
      rows.push(items)
      return new Promise(resolve => writes.push(resolve))
    },
    { due: () => due, after: (_, happen) => waits.push(happen) },
  )
  /** Ends the oldest write, and lets what waits for it go on. */
  const finish = async () => {
    writes.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  /** Ends the oldest wait. */
  const wait = async () => {
    waits.shift()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  return {
    queue,
    rows,
    finish,
    wait,
    written: () => rows.map(items => items.map(({ id }) => Number(id.replace(/^A+/, '')))),
  }
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

test('a post waits for those that are due, until the last of them is there', async () => {
  const { queue, wait, finish, written } = setUp(3)
  void queue.commit(item(1))
  void queue.commit(item(2))
  expect(written()).toEqual([])
  void queue.commit(item(3))
  await Promise.resolve()
  expect(written()).toEqual([[1, 2, 3]])
  await finish()
  // The first wait's time comes when another one is on: it ends nothing of that.
  void queue.commit(item(4))
  await wait()
  expect(written()).toEqual([[1, 2, 3]])
  await wait()
  expect(written()).toEqual([[1, 2, 3], [4]])
})

test('one that is due and does not come is waited for no longer than a moment', async () => {
  const { queue, wait, finish, written } = setUp(9)
  const answered: number[] = []
  for (const number of [1, 2]) void queue.commit(item(number)).then(() => answered.push(number))
  await wait()
  expect(written()).toEqual([[1, 2]])
  expect(answered).toEqual([])
  await finish()
  expect(answered).toEqual([1, 2])
})

test('a full row waits for nobody', () => {
  const { queue, written } = setUp(9)
  void queue.commit(item(1, 1024 * 1024))
  expect(written()).toEqual([[1]])
})
