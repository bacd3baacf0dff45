import { describe, expect, it } from 'vitest'
import { buildReport } from '../../../agent/backup/report.ts'
import { backupReport } from '../../../shared/wire.ts'
import { START_MS } from '../support/spool.ts'

const build = (given: Partial<Parameters<typeof buildReport>[0]>, minSizeBytes?: number) => {
  const config = minSizeBytes === undefined ? {} : { backups: [{ name: 'ут11', minSizeBytes }] }
  return buildReport({ name: 'ут11', state: 'ok', ...given }, config, START_MS)
}

describe('buildReport', () => {
  it('says what it was told', async () => {
    const { report } = await build({ sizeBytes: 7, durationMs: 1_000 })
    expect(report).toMatchObject({
      state: 'ok',
      source: 'report',
      sizeBytes: 7,
      startedAtMs: START_MS - 1_000,
      completedAtMs: START_MS,
    })
    expect(backupReport.safeParse(report).success).toBe(true)
  })

  it('takes the times of a backup that ended earlier', async () => {
    const times = { startedAtMs: START_MS - 9_000, completedAtMs: START_MS - 2_000 }
    expect((await build(times)).report).toMatchObject({ ...times, durationMs: 7_000 })
    await expect(build({ ...times, startedAtMs: START_MS })).rejects.toThrow('started after it ended')
    await expect(build({ completedAtMs: START_MS + 3_600_000 })).rejects.toThrow('in the future')
    expect((await build({ state: 'running', startedAtMs: START_MS })).report).toMatchObject({
      startedAtMs: START_MS,
      completedAtMs: null,
      durationMs: null,
    })
  })

  it('keeps a reason, and has no end while it runs', async () => {
    expect((await build({ state: 'failed', reason: 'диск полон' })).report).toMatchObject({
      state: 'failed',
      reason: 'диск полон',
    })
    expect((await build({ state: 'running' })).report.completedAtMs).toBeNull()
  })

  it('takes the size of a file, and calls one that is too small failed', async () => {
    const { report, file } = await build({ file: import.meta.filename })
    expect(file).toBe(import.meta.filename)
    expect(report.sizeBytes).toBeGreaterThan(100)
    expect((await build({ sizeBytes: 9, reason: 'ночная' }, 10)).report).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('too_small: 9 bytes'),
    })
  })

  it('does not call good what is not there', async () => {
    await expect(build({ file: '/no/such/file.dt' })).rejects.toThrow('No file matches')
  })
})
