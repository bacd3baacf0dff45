import { expect, test } from 'vitest'
import { nextAlarm, type Wishes } from '../../../relay/tenant/alarm.ts'
import { NOW } from './fixtures.ts'

const wishes = (some: Partial<Wishes>): Wishes => ({
  flushAtMs: undefined,
  tickAtMs: undefined,
  deadlineAtMs: undefined,
  retryAtMs: undefined,
  leaseAtMs: undefined,
  ...some,
})

test('nobody wishes anything: no alarm', () => {
  expect(nextAlarm(wishes({}), null, NOW)).toBeUndefined()
  expect(nextAlarm(wishes({}), NOW + 5, NOW)).toBeUndefined()
})

test.each(['flushAtMs', 'tickAtMs', 'deadlineAtMs', 'retryAtMs', 'leaseAtMs'] as const)('%s rings', wish => {
  expect(nextAlarm(wishes({ [wish]: NOW + 500 }), null, NOW)).toBe(NOW + 500)
})

test('the earliest wish rings, one that is over rings now', () => {
  expect(nextAlarm(wishes({ flushAtMs: NOW + 9, tickAtMs: NOW + 3, leaseAtMs: NOW + 30_000 }), null, NOW)).toBe(NOW + 3)
  expect(nextAlarm(wishes({ deadlineAtMs: NOW - 60_000 }), null, NOW)).toBe(NOW)
})

test('an alarm that is armed for that time, or a little too early, stays: arming costs a row', () => {
  expect(nextAlarm(wishes({ tickAtMs: NOW + 5_000 }), NOW + 5_000, NOW)).toBeUndefined()
  expect(nextAlarm(wishes({ tickAtMs: NOW + 5_000 }), NOW + 4_000, NOW)).toBeUndefined()
  expect(nextAlarm(wishes({ tickAtMs: NOW + 5_000 }), NOW + 3_999, NOW)).toBe(NOW + 5_000)
})

test('one that would ring too late is armed anew', () => {
  expect(nextAlarm(wishes({ flushAtMs: NOW + 2_000 }), NOW + 2_001, NOW)).toBe(NOW + 2_000)
})

test('one that should have rung already does not count', () => {
  expect(nextAlarm(wishes({ flushAtMs: NOW + 300 }), NOW - 1, NOW)).toBe(NOW + 300)
})
