import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredReport } from '../../../agent/backup/inbox.ts'
import { type BackupRun, runBackup } from '../../../agent/backup/run.ts'
import { systemClock } from '../../../agent/clock.ts'
import type { HostConfig } from '../../../shared/host-config.ts'
import { backupReport } from '../../../shared/wire.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-backup-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function run(script: string, more: Partial<BackupRun> = {}, config: HostConfig = {}) {
  const written: StoredReport[] = []
  const command = ['sh', '-c', script, 'sh', directory]
  const exitCode = await runBackup({ name: 'Зарплата 3.1', command, ...more }, config, systemClock, stored =>
    written.push(stored),
  )
  expect(written.map(({ report }) => backupReport.safeParse(report).success)).toEqual([true, true])
  expect(written[0]?.report).toMatchObject({ state: 'running', completedAtMs: null })
  return { exitCode, ...written[1]?.report, path: written[1]?.file }
}

describe('runBackup', () => {
  it('reports a good run with its new file', async () => {
    const file = path.join(directory, '*.dt')
    expect(await run('printf 12345 > "$1/Зарплата [1].dt"', { file })).toMatchObject({
      exitCode: 0,
      state: 'ok',
      source: 'run',
      reason: null,
      sizeBytes: 5,
      durationMs: expect.any(Number),
      path: path.join(directory, 'Зарплата [1].dt'),
    })
  })

  it.each([
    ['an exit code', 'exit 3', {}, 3, 'exit code 3'],
    ['a signal', 'kill -9 $$', {}, 137, 'ended by SIGKILL'],
    ['a timeout, its children too', 'sleep 60 & sleep 60', { timeoutMs: 100 }, 124, 'killed at its timeout of 0.1 s'],
    ['a command that is not there', '', { command: ['/no/such/1cv8'] }, 127, 'could not be started'],
    ['success without a file', 'true', { file: '/no/such/*.dt' }, 0, 'no new file matches /no/such/*.dt'],
  ])('passes on %s and reports a failure', async (_, script, more, exitCode, reason) => {
    const result = await run(script, more)
    expect(result).toMatchObject({ exitCode, state: 'failed', sizeBytes: null })
    expect(result.reason).toContain(reason)
  })

  it('takes directory, pattern and least size from the configuration', async () => {
    const config = { backups: [{ name: 'Зарплата 3.1', directory, pattern: '*.dt', minSizeBytes: 10 }] }
    expect(await run('printf 12345 > "$1/a.dt"', {}, config)).toMatchObject({ state: 'failed', sizeBytes: 5 })
    // Two files of one moment have one time.
    expect(await run('rm "$1/a.dt"; printf 1234567890 > "$1/b.dt"', {}, config)).toMatchObject({
      state: 'ok',
      sizeBytes: 10,
    })
    expect(await run(': > "$1/c.dt"', { file: path.join(directory, 'c.dt') })).toMatchObject({
      state: 'failed',
      reason: 'the backup file is empty',
    })
  })

  it('does not take an old file for the new backup', async () => {
    const file = path.join(directory, 'old.dt')
    expect(await run('printf 1 > "$1/old.dt"; touch -d "2 hours ago" "$1/old.dt"', { file })).toMatchObject({
      state: 'failed',
      reason: `no new file matches ${file}`,
    })
  })
})
