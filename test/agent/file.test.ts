import { expect, test } from 'vitest'
import { untilFree } from '../../agent/file.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

/** Fails so many times; gives how often it was called and how long it was waited for. */
function attempt(times: number, code: string) {
  const waitsMs: number[] = []
  let calls = 0
  const run = () =>
    untilFree(
      () => {
        calls++
        if (calls <= times) throw failure(code)
      },
      ms => waitsMs.push(ms),
    )
  return { run, waitsMs, calls: () => calls }
}

test('a file that is held for a moment is waited for, longer and longer', () => {
  const { run, waitsMs, calls } = attempt(4, 'EPERM')
  run()
  expect(calls()).toBe(5)
  expect(waitsMs).toEqual(waitsMs.toSorted((a, b) => a - b))
  // A virus scanner takes some tens of milliseconds.
  expect(waitsMs.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(100)
})

test('one that is held for good is given up within half a second', () => {
  const { run, waitsMs } = attempt(Number.POSITIVE_INFINITY, 'EBUSY')
  expect(run).toThrow('EBUSY')
  expect(waitsMs.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(500)
})

test('any other failure is told at once', () => {
  const { run, calls } = attempt(1, 'ENOSPC')
  expect(run).toThrow('ENOSPC')
  expect(calls()).toBe(1)
})
