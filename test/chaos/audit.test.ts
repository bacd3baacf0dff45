import { describe, expect, test } from 'vitest'
import { type Account, auditCounters, auditHost, auditSpool, type Letter } from './audit.ts'
import { SAMPLES } from './snapshots.ts'

const letter = (more: Partial<Letter>): Letter => ({
  id: 1,
  host: 'БУХ-1С-1',
  fromMs: 0,
  toMs: 0,
  samples: SAMPLES,
  reason: 'HTTP 400',
  ...more,
})

const account = (more: Partial<Account>): Account => ({
  place: 'prometheus: ООО Ромашка/БУХ-1С-1',
  fates: new Map([
    [100, 'accepted'],
    [200, 'accepted'],
    [300, 'accepted'],
  ]),
  held: new Set([100, 200, 300]),
  letters: [],
  leftOutSamples: 0,
  isShaky: false,
  samplesEach: SAMPLES,
  ...more,
})

const without200 = new Set([100, 300])

describe('a host at a destination', () => {
  test('held whole', () => {
    const { sum, faults } = auditHost(account({}))
    expect(faults).toEqual([])
    expect(sum).toEqual({ accepted: 3, held: 3, deadLettered: 0, dropped: 0, unaccounted: 0 })
  })

  test('a snapshot that is nowhere', () => {
    const { sum, faults } = auditHost(account({ held: without200 }))
    expect(sum.unaccounted).toBe(1)
    expect(faults).toEqual(['prometheus: ООО Ромашка/БУХ-1С-1: 1 of 3 accepted snapshots are nowhere (200)'])
  })

  test('a dead letter covers its time range and no more', () => {
    const buried = auditHost(account({ held: without200, letters: [letter({ fromMs: 150, toMs: 250 })] }))
    expect(buried.sum).toMatchObject({ deadLettered: 1, unaccounted: 0 })
    expect(buried.faults).toEqual([])
    const other = auditHost(account({ held: without200, letters: [letter({ fromMs: 250, toMs: 400 })] }))
    expect(other.sum.unaccounted).toBe(1)
    const empty = auditHost(account({ held: without200, letters: [letter({ fromMs: 150, toMs: 250, samples: 44 })] }))
    expect(empty.faults[0]).toContain('which say 44 samples')
  })

  test('a host that went back in time: what is missing must be counted, and more may be', () => {
    const shaky = { isShaky: true, held: without200 }
    expect(auditHost(account({ ...shaky, leftOutSamples: SAMPLES })).faults).toEqual([])
    expect(auditHost(account({ ...shaky, leftOutSamples: 3 * SAMPLES })).faults).toEqual([])
    expect(auditHost(account({ ...shaky, leftOutSamples: SAMPLES - 1 })).sum).toMatchObject({ unaccounted: 1 })
  })

  test('of any other host nothing may be left out, counted or not', () => {
    expect(auditHost(account({ held: without200, leftOutSamples: SAMPLES })).faults).toHaveLength(1)
    expect(auditHost(account({ leftOutSamples: SAMPLES })).faults).toHaveLength(1)
  })

  test('what nobody knows may be held or not; what was refused or never posted may not', () => {
    const fates = new Map([
      [100, 'maybe'],
      [200, 'maybe'],
      [300, 'refused'],
    ] as const)
    expect(auditHost(account({ fates, held: new Set([100]) })).faults).toEqual([])
    expect(auditHost(account({ fates, held: new Set([300]) })).faults).toHaveLength(1)
    expect(auditHost(account({ fates, held: new Set([400]) })).faults).toHaveLength(1)
  })
})

test("a destination's counters say what those of its hosts do", () => {
  expect(auditCounters('loki', { budget: 0, age: 45, order: 90 }, 135)).toEqual([])
  expect(auditCounters('loki', { budget: 0, age: 0, order: 90 }, 45)).toHaveLength(1)
  expect(auditCounters('loki', { budget: 45, age: 0, order: 0 }, 0)).toHaveLength(1)
})

test('a spool keeps what it took, and sends nothing that it counted as lost', () => {
  const fates = new Map([
    [100, 'accepted'],
    [200, 'maybe'],
  ] as const)
  expect(auditSpool('spool', [100], [300], fates)).toEqual([])
  expect(auditSpool('spool', [100, 200], [], fates)).toHaveLength(1)
  expect(auditSpool('spool', [100], [200], fates)).toHaveLength(1)
})
