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
