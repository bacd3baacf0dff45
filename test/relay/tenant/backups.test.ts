import { expect, test } from 'vitest'
import { applyReport, type BackupMemory, backupSeries } from '../../../relay/tenant/backups.ts'
import { BACKUP_STATES, type BackupReport } from '../../../shared/wire.ts'
import { NOW, report } from './fixtures.ts'

const HOUR = 3_600_000

/** What is remembered after these reports, oldest first. */
function after(...reports: readonly Partial<BackupReport>[]): BackupMemory {
  return reports.reduce<BackupMemory | undefined>((memory, one) => applyReport(memory, report(one)), undefined) as never
}

const valuesOf = (memory: BackupMemory) =>
  Object.fromEntries(
    backupSeries(new Map([['Зарплата 3.1', memory]])).map(({ name, labels, value }) => [
      [name, labels.result].filter(Boolean).join(' '),
      value,
    ]),
  )

test('a good run sets everything', () => {
  expect(after({ dueAtMs: NOW + HOUR })).toEqual({
    state: 'ok',
    source: 'run',
    reason: null,
    status: 1,
    completedAtMs: NOW,
    goodAtMs: NOW,
    goodSizeBytes: 1_000,
    durationMs: 5_000,
    dueAtMs: NOW + HOUR,
    runs: { ok: 1 },
  })
})

test('a failure sets the status to 0 and leaves time and size at the last good one', () => {
  const memory = after({}, { state: 'failed', reason: 'Диск переполнен', completedAtMs: NOW + HOUR, sizeBytes: 3 })
  expect(memory).toMatchObject({ state: 'failed', status: 0, reason: 'Диск переполнен', runs: { ok: 1, failed: 1 } })
  expect(memory).toMatchObject({ goodAtMs: NOW, goodSizeBytes: 1_000, completedAtMs: NOW + HOUR })
})

test('a run that found nothing changed is a good one without a new file', () => {
  const memory = after({}, { state: 'unchanged', completedAtMs: NOW + HOUR, sizeBytes: null })
  expect(memory).toMatchObject({ state: 'unchanged', status: 1, goodAtMs: NOW, goodSizeBytes: 1_000 })
  expect(memory.runs).toEqual({ ok: 1, unchanged: 1 })
})

test.each(['running', 'late', 'unknown'] as const)('%s says the state, and changes nothing of the runs', state => {
  const before = after({})
  const memory = applyReport(before, report({ state, completedAtMs: null, sizeBytes: 7, durationMs: 7, reason: 'why' }))
  expect(memory).toEqual({ ...before, state, reason: 'why' })
  expect(valuesOf(memory)).toEqual(valuesOf(before))
})

test.each(BACKUP_STATES)('a backup that never ran has no series of a run: %s', state => {
  expect(valuesOf(after({ state, completedAtMs: null }))).toEqual({})
})

test('a due time is known before any run', () => {
  expect(valuesOf(after({ state: 'late', completedAtMs: null, dueAtMs: NOW }))).toEqual({
    onec_backup_due_timestamp_seconds: NOW / 1_000,
  })
})

test('the same run reported every minute counts once, also after "running" in between', () => {
  expect(after({}, {}, {}).runs).toEqual({ ok: 1 })
  expect(after({}, { state: 'running', completedAtMs: null }, {}).runs).toEqual({ ok: 1 })
})

test('an older run reported late does not take the place of a newer one', () => {
  const memory = after({}, { completedAtMs: NOW - HOUR, sizeBytes: 5, state: 'failed' })
  expect(memory).toMatchObject({ status: 1, goodAtMs: NOW, goodSizeBytes: 1_000, runs: { ok: 1 } })
})

test('what a run does not say is not made up', () => {
  const memory = after({ sizeBytes: null, durationMs: null })
  expect(valuesOf(memory)).toEqual({
    onec_backup_status: 1,
    onec_backup_timestamp: NOW / 1_000,
    'onec_backup_runs_total ok': 1,
  })
})

test('series carry the name of the backup as it was given', () => {
  const [first] = backupSeries(new Map([['Зарплата 3.1', after({})]]))
  expect(first).toEqual({ name: 'onec_backup_status', labels: { backup: 'Зарплата 3.1' }, value: 1 })
})
