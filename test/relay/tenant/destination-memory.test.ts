import { expect, test } from 'vitest'
import {
  afterAnswer,
  afterFailure,
  type DestinationMemory,
  mayTry,
  newDestination,
  suspend,
} from '../../../relay/tenant/destination-memory.ts'
import { NOW } from './fixtures.ts'

const MINUTE = 60_000
const RETRY = { kind: 'retry', reason: 'HTTP 503', status: 503, mayBeStored: true } as const
const SUSPENDED = { kind: 'suspended', reason: 'HTTP 401' } as const

function failed(times: number, random = 0): DestinationMemory {
  let memory = newDestination(5)
  for (let attempt = 0; attempt < times; attempt += 1) memory = afterFailure(memory, RETRY, NOW, random)
  return memory
}

const waitOf = ({ nextAttemptAtMs }: DestinationMemory) => (nextAttemptAtMs ?? Number.NaN) - NOW

test('a new destination takes what is accepted from now on, and may try at once', () => {
  expect(newDestination(5)).toMatchObject({ cursor: 5, uncertainBelow: 5, state: 'active' })
  expect(mayTry(newDestination(5), NOW)).toBe(true)
})

test('failures back off exponentially with jitter, up to five minutes', () => {
  expect([1, 2, 3, 4].map(times => waitOf(failed(times)))).toEqual([500, 1_000, 2_000, 4_000])
  expect(waitOf(failed(1, 0.999))).toBeGreaterThan(990)
  for (const times of [12, 40, 2_000]) {
    expect(waitOf(failed(times))).toBe(2.5 * MINUTE)
    expect(waitOf(failed(times, 0.9999))).toBeLessThanOrEqual(5 * MINUTE)
  }
})

test('the other side’s wish is honoured when it is longer than ours', () => {
  expect(waitOf(afterFailure(newDestination(0), { ...RETRY, afterMs: 30_000 }, NOW, 0))).toBe(30_000)
  expect(waitOf(afterFailure(failed(12), { ...RETRY, afterMs: 1_000 }, NOW, 0))).toBe(2.5 * MINUTE)
  // Those that one server sent away do not come back as one.
  expect(waitOf(afterFailure(newDestination(0), { ...RETRY, afterMs: 30_000 }, NOW, 0.5))).toBe(31_500)
})

test('what kept it back is said, with the time since when', () => {
  const first = afterFailure(newDestination(0), RETRY, NOW, 0)
  const second = afterFailure(first, { ...RETRY, reason: 'HTTP 502' }, NOW + 5, 0)
  expect(second).toMatchObject({ state: 'backing-off', reason: 'HTTP 502', sinceMs: NOW, failures: 2 })
  expect(afterFailure(second, SUSPENDED, NOW + 9, 0)).toMatchObject({ state: 'suspended', sinceMs: NOW + 9 })
})

test('a suspended one tries once in 15 minutes', () => {
  const memory = afterFailure(newDestination(0), SUSPENDED, NOW, 0.5)
  expect(mayTry(memory, NOW + 15 * MINUTE - 1)).toBe(false)
  expect(mayTry(memory, NOW + 15 * MINUTE)).toBe(true)
  const again = afterFailure(memory, SUSPENDED, NOW + 15 * MINUTE, 0.5)
  expect(again).toMatchObject({ sinceMs: NOW, nextAttemptAtMs: NOW + 30 * MINUTE })
})

test('an answer ends whatever kept it back', () => {
  expect(afterAnswer(failed(7))).toEqual(newDestination(5))
  const active = newDestination(5)
  expect(afterAnswer(active)).toBe(active)
})

test('what an operator suspended is never tried', () => {
  const memory = suspend(failed(3), NOW)
  expect(memory).toMatchObject({ state: 'suspended', reason: 'suspended by an operator', nextAttemptAtMs: null })
  expect(mayTry(memory, NOW + 365 * 86_400_000)).toBe(false)
})

test('a clock that was set back does not stop a destination for as long', () => {
  const memory = afterFailure(newDestination(0), { ...RETRY, afterMs: 5 * MINUTE }, NOW, 0)
  expect(mayTry(memory, NOW + 1)).toBe(false)
  expect(mayTry(memory, NOW - 86_400_000)).toBe(true)
})
