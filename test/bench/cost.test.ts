import { describe, expect, test } from 'vitest'
import { type Measured, monthlyCost, total } from './cost.ts'

const MEASURED: Measured = {
  rowsPerBatch: 0.5,
  alarmsPerMinute: 10,
  cpuMsPerBatch: 1,
  awakeSecondsPerMinute: 10,
  requestsPerMinute: 100,
}

describe('the cost of a month', () => {
  test('of 10,000 hosts is the sum of its items beyond what the base price includes', () => {
    // 432 million batches; 10 shards × 43,200 minutes.
    const cost = monthlyCost(10_000, MEASURED)
    expect(cost.base).toBe(5)
    expect(cost.workerRequests).toBeCloseTo((432 - 10) * 0.3)
    expect(cost.workerCpuMs).toBeCloseTo((432 - 30) * 0.02)
    expect(cost.objectRequests).toBeCloseTo((432 + 4.32 - 1) * 0.15)
    expect(cost.objectGbSeconds).toBeCloseTo(((432_000 * 20 * 0.128 - 400_000) / 1e6) * 12.5)
    expect(cost.rowsWritten).toBeCloseTo(216 - 50)
    expect(total(cost)).toBeCloseTo(Object.values(cost).reduce((sum, item) => sum + item))
  })

  test('of what the plan includes is the base price', () => {
    expect(total(monthlyCost(10, MEASURED))).toBe(5)
  })

  test('counts no more than 60 awake seconds of a minute', () => {
    const always = monthlyCost(10_000, { ...MEASURED, awakeSecondsPerMinute: 60, requestsPerMinute: 0 })
    expect(monthlyCost(10_000, { ...MEASURED, requestsPerMinute: 10_000 })).toEqual(always)
  })
})
