import { expect, test } from 'vitest'
import { CAUSES, measureRowsPerBatch } from './rows-per-batch.ts'

test('what is measured is what was posted, delivered and written, and the same again', async () => {
  const play = { hosts: 10, minutes: 3, seed: 7 }
  const measured = await measureRowsPerBatch(play)
  const { batches, rows, rowsPerBatch, requests } = measured
  expect(measured).toMatchObject({ batches: 30, undeliveredAtEnd: 0 })
  expect(measured.starts, 'evicted between two windows').toBeGreaterThan(0)
  for (const cause of ['ingest', 'tick', 'checkpoint', 'alarm'] as const) expect(rows[cause], cause).toBeGreaterThan(0)
  expect(rows.ingest).toBeLessThanOrEqual(batches)
  expect(rowsPerBatch * batches).toBeCloseTo(CAUSES.reduce((sum, cause) => sum + rows[cause], 0))
  expect(requests).toBeGreaterThan(30)
  expect(await measureRowsPerBatch(play)).toEqual(measured)
})

test.each([
  { hosts: 10, minutes: 10, goal: 0.7 },
  { hosts: 100, minutes: 5, goal: 0.2 },
])('$hosts hosts of a tenant share rows, and nobody waits for long', async ({ goal, ...play }) => {
  const { rowsPerBatch, answerMs } = await measureRowsPerBatch(play)
  expect(rowsPerBatch).toBeLessThanOrEqual(goal)
  expect(answerMs.p99).toBeLessThanOrEqual(30)
})

test('a host by itself waits for nobody', async () => {
  const { rows, batches, answerMs } = await measureRowsPerBatch({ hosts: 1, minutes: 5, syncMs: 3 })
  expect(answerMs.p99).toBe(3)
  // Its row; the tick's; one checkpoint when all four destinations have it; one alarm.
  expect(rows).toEqual({ ingest: batches, tick: batches, checkpoint: batches, alarm: batches, event: 0, other: 0 })
})
