import { describe, expect, it } from 'vitest'
import { createRunningTotals, growth } from '../../../agent/collect/running-totals.ts'

/** The total of `bytes` after each reading; a reading is counters by part. */
function totalsOf(...readings: Readonly<Record<string, number>>[]): (number | undefined)[] {
  const totals = createRunningTotals<'bytes'>()
  return readings.map(reading => {
    const parts = Object.entries(reading).map(([id, bytes]) => [id, { bytes }] as const)
    return totals.add(new Map(parts)).bytes
  })
}

describe('running totals', () => {
  it.each([
    ['start with the counts since boot', [{ a: 100, b: 10 }], [110]],
    [
      'grow with their parts',
      [
        { a: 100, b: 10 },
        { a: 150, b: 10 },
      ],
      [110, 160],
    ],
    ['do not fall when a part goes', [{ a: 100, b: 10 }, { b: 12 }], [110, 112]],
    ['do not jump when it comes back', [{ a: 100, b: 10 }, { b: 12 }, { a: 105, b: 12 }], [110, 112, 117]],
    ['take a latecomer from where it is', [{ a: 100 }, { a: 100, b: 9_000 }, { a: 100, b: 9_005 }], [100, 100, 105]],
    ['go on when a part restarts', [{ a: 6e9 }, { a: 40 }], [6e9, 6e9 + 40]],
    [
      'go on over a wrap at 32 bits',
      [
        { a: 2 ** 32 - 10, b: 5 },
        { a: 20, b: 5 },
      ],
      [2 ** 32 - 5, 2 ** 32 + 25],
    ],
    ['are absent while no part has the counter', [{ a: 1 }, {}, { a: 3 }], [1, undefined, 3]],
    ['start with the first part there ever is', [{}, { a: 7 }], [undefined, 7]],
  ])('%s', (_, readings, expected) => {
    expect(totalsOf(...(readings as Record<string, number>[]))).toEqual(expected)
  })

  it('tell a wrap from a restart by how far a counter fell', () => {
    expect(growth(2 ** 32 - 1, 0)).toBe(1)
    expect(growth(2 ** 31 + 5, 4)).toBe(2 ** 31 - 1)
    expect(growth(2 ** 31 - 5, 4)).toBe(4)
    expect(growth(2 ** 40, 4)).toBe(4)
  })

  it('leave out one counter that a part does not have', () => {
    const totals = createRunningTotals<'reads' | 'writes'>()
    expect(totals.add(new Map([['a', { reads: 1 }]]))).toEqual({ reads: 1 })
    expect(totals.add(new Map([['a', { reads: 2, writes: 9 }]]))).toEqual({ reads: 2, writes: 0 })
  })

  it('remember a bounded number of parts that went', () => {
    const totals = createRunningTotals<'bytes'>()
    for (let part = 0; part < 300; part++) totals.add(new Map([[`vpn${part}`, { bytes: 5 }]]))
    expect(totals.add(new Map([['vpn299', { bytes: 6 }]]))).toEqual({ bytes: 6 })
    // Forgotten, so that it is a latecomer; the one after the bound is remembered.
    expect(totals.add(new Map([['vpn0', { bytes: 50 }]]))).toEqual({ bytes: 6 })
    expect(totals.add(new Map([['vpn298', { bytes: 50 }]]))).toEqual({ bytes: 51 })
  })
})
