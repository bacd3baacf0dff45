import { describe, expect, it } from 'vitest'
import { type Finding, reportFor, toldKey } from '../../../agent/backup/finding.ts'
import { applyReports } from '../../../agent/backup/known.ts'
import type { BackupReport } from '../../../shared/wire.ts'
import { EVENING_MS, HOUR_MS } from './support/bench.ts'

const NAME = 'Зарплата 3.1'
const ENDED = { name: NAME, source: 'run' as const, reason: null, sizeBytes: 5, durationMs: HOUR_MS, dueAtMs: null }

/** What a look at the directory says after the program itself said something. */
function seenAfter(said: Partial<BackupReport>, finding: Partial<Finding>, more: { maxAgeMs?: number } = {}) {
  const report = {
    ...ENDED,
    state: 'ok' as const,
    startedAtMs: EVENING_MS - HOUR_MS,
    completedAtMs: EVENING_MS,
    ...said,
  }
  const known = applyReports(new Map(), [{ atMs: EVENING_MS, report }]).get(NAME)
  const context = { backup: { name: NAME, ...more }, source: 'directory' as const, told: undefined }
  const recollection = { known, expectedSinceMs: undefined }
  const whole = { code: 'good' as const, key: 'файл', ...finding }
  return reportFor(whole, { ...context, recollection, nowMs: EVENING_MS + 60_000 })?.report
}
const at = (completedAtMs: number, code: Finding['code'] = 'good'): Partial<Finding> => ({
  code,
  run: { completedAtMs },
})

describe('a lower source', () => {
  it('does not repeat what the program itself said', () => {
    expect(seenAfter({}, at(EVENING_MS - 5_000))).toBeUndefined()
    expect(seenAfter({ state: 'failed', reason: 'exit code 1' }, at(EVENING_MS - 5_000))).toBeUndefined()
    expect(seenAfter({}, { code: 'unreachable', words: 'x' })).toBeUndefined()
    expect(seenAfter({ state: 'running', completedAtMs: null }, at(EVENING_MS))).toBeUndefined()
  })

  it('makes no failure good by a file whose server is some minutes ahead', () => {
    const failed = { state: 'failed' as const, reason: 'exit code 1' }
    for (const code of ['good', 'growing'] as const)
      expect(seenAfter(failed, at(EVENING_MS + 30_000, code))).toBeUndefined()
    expect(seenAfter(failed, at(EVENING_MS + HOUR_MS))).toMatchObject({ state: 'ok' })
  })

  it('tells of a file that came after it', () => {
    expect(seenAfter({}, at(EVENING_MS + 30_000))).toMatchObject({ state: 'ok', source: 'directory' })
    expect(seenAfter({}, { code: 'growing' })).toMatchObject({ state: 'running' })
  })

  it('says against it that its file is damaged, later than it by a millisecond', () => {
    expect(seenAfter({}, { ...at(EVENING_MS - 5_000, 'truncated'), words: 'cut' })).toMatchObject({
      state: 'failed',
      reason: 'truncated: cut',
      completedAtMs: EVENING_MS + 1,
    })
    // A file from before it began is another's.
    expect(seenAfter({}, at(EVENING_MS - 2 * HOUR_MS, 'truncated'))).toBeUndefined()
  })

  it('does not call late what the program made', () => {
    expect(seenAfter({}, { code: 'too_old' }, { maxAgeMs: HOUR_MS })).toBeUndefined()
    expect(
      seenAfter({ completedAtMs: EVENING_MS - HOUR_MS }, { code: 'too_old' }, { maxAgeMs: HOUR_MS }),
    ).toMatchObject({
      state: 'late',
      completedAtMs: null,
    })
  })
})

it('keeps one run from another by code and key', () => {
  expect(toldKey({ code: 'good', key: '1' })).not.toBe(toldKey({ code: 'empty', key: '1' }))
})
