import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { is1C, optionOf1C } from '../../../agent/backup/dump-result.ts'
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

/** A letter of proc(5): Z for a zombie. */
function stateOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
  } catch {
    return 'gone'
  }
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
      reason: 'empty: the backup file is empty',
    })
  })

  it('does not take an old file for the new backup', async () => {
    const file = path.join(directory, 'old.dt')
    expect(await run('printf 1 > "$1/old.dt"; touch -d "2 hours ago" "$1/old.dt"', { file })).toMatchObject({
      state: 'failed',
      reason: `no_file: no new file matches ${file}`,
    })
  })

  it('takes brackets in the names of folders as they are', async () => {
    const folder = path.join(directory, 'Базы [ЗУП] {1}')
    mkdirSync(folder)
    const config = { backups: [{ name: 'Зарплата 3.1', directory: folder, pattern: '*.dt' }] }
    const script = 'printf 12345 > "$1/Базы [ЗУП] {1}/1 [2].dt"'
    for (const more of [{}, { file: path.join(folder, '*.{dt,zip}') }, { file: path.join(folder, '1 [2].dt') }])
      expect(await run(script, more, config)).toMatchObject({ state: 'ok', path: path.join(folder, '1 [2].dt') })
  })

  it('takes no unfinished file', async () => {
    const file = path.join(directory, '*')
    expect(await run('printf 12345 > "$1/1.dt.part"', { file })).toMatchObject({ state: 'failed' })
  })

  it('lets what the command started clean up at its timeout', async () => {
    const script = 'sh -c \'trap "sleep 0.5; : > $0/clean; exit" TERM; while :; do sleep 0.1; done\' "$1" & sleep 60'
    expect(await run(script, { timeoutMs: 500 })).toMatchObject({ exitCode: 124 })
    expect(existsSync(path.join(directory, 'clean'))).toBe(true)
  })

  it('ends what outlived the command at its timeout, deaf to the first signal', async () => {
    const script = 'sh -c \'trap "" TERM; echo $$ > "$0/pid"; while :; do sleep 0.1; done\' "$1" & sleep 60'
    expect(await run(script, { timeoutMs: 500 })).toMatchObject({ exitCode: 124 })
    const pid = readFileSync(path.join(directory, 'pid'), 'utf8').trim()
    // Gone, or waiting for its new parent to look at its end.
    await expect.poll(() => stateOf(pid), { timeout: 5_000 }).toMatch(/^(gone|Z)$/)
  })

  it('takes a file far smaller than the last good ones for none', async () => {
    const file = path.join(directory, '*.dt')
    const result = await run('printf 12345 > "$1/a.dt"', { file, goodSizes: [1_000, 1_100, 900] })
    expect(result).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('shrunken: 5 bytes is less than 50 %'),
    })
  })

  it('says that nothing has changed where the command says so by its exit code', async () => {
    const file = path.join(directory, '*.dt')
    expect(await run('exit 3', { file, unchangedExit: 3 })).toMatchObject({
      exitCode: 3,
      state: 'unchanged',
      reason: null,
    })
    expect(await run('exit 4', { file, unchangedExit: 3 })).toMatchObject({ exitCode: 4, state: 'failed' })
  })
})

describe('backup run', () => {
  it('ends with the exit code of the command, and with nothing but its output', () => {
    const main = inject('agent')
    const file = path.join(directory, '[1].dt')
    // Bytes of cp866, and one that no encoding has.
    const script = `printf '\\217\\0\\377'; printf 12345 > '${file}'; exit 3`
    const words = ['backup', 'run', '--state', path.join(directory, 'state'), '--name', 'ЗУП', '--file', file]
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words, '--', 'sh', '-c', script])
    expect([status, [...stdout], stderr.toString()]).toEqual([3, [0x8f, 0, 0xff], ''])
  })
})

describe('1C', () => {
  const dumpResult = () => path.join(directory, 'результат.txt')
  const write = 'printf 12345 > "$1/a.dt"'
  /** As the Designer writes it: UTF-8 with its mark and a line end, or UTF-16. */
  const said = (octal: string) => `printf '${octal}' > "$1/результат.txt"`

  it.each([
    ['0', said('0')],
    ['0 with a mark', said('\\357\\273\\2770\\r\\n')],
    ['0 in UTF-16', said('\\377\\3760\\000\\r\\000\\n\\000')],
  ])('is believed with a result of %s', async (_, result) => {
    expect(
      await run(`${write}; ${result}`, { dumpResult: dumpResult(), file: path.join(directory, '*.dt') }),
    ).toMatchObject({
      exitCode: 0,
      state: 'ok',
    })
  })

  it.each([
    ['a result of 1', `${write}; ${said('1')}`, '1C wrote 1 to'],
    ['no result', write, '1C wrote no result to'],
    ['an empty one', `${write}; ${said('')}`, 'is empty'],
    ['a result of 0 and no file', said('0'), 'no new file matches'],
    ['a result of 0 and a failure', `${write}; ${said('0')}; exit 1`, 'exit code 1'],
  ])('is not believed with %s', async (_, script, reason) => {
    const result = await run(script, { dumpResult: dumpResult(), file: path.join(directory, '*.dt') })
    expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining(reason) })
  })

  it('does not take the result of an earlier run', async () => {
    writeFileSync(dumpResult(), '0')
    expect(await run(write, { dumpResult: dumpResult() })).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('1C wrote no result'),
    })
  })

  it('has its options found in the command, in pieces and in one text', () => {
    const pieces = ['1cv8.exe', 'DESIGNER', '/F', 'D:\\База', '/DumpIB', 'D:\\Копии\\1.dt', '/dumpresult', 'D:\\r.txt']
    expect(optionOf1C(pieces, 'DumpResult')).toBe('D:\\r.txt')
    expect(optionOf1C(pieces, 'DumpIB')).toBe('D:\\Копии\\1.dt')
    const text = ['cmd', '/c', '1cv8 DESIGNER /DumpIB "D:\\Мои копии\\1.dt" -DumpResult D:\\r.txt']
    expect(optionOf1C(text, 'DumpIB')).toBe('D:\\Мои копии\\1.dt')
    expect(optionOf1C(text, 'DumpResult')).toBe('D:\\r.txt')
    expect(optionOf1C(['pg_dump', '-Fc'], 'DumpResult')).toBeUndefined()
    expect(optionOf1C(['cmd', '/c', '1cv8 DESIGNER /DumpIB \\\\srv\\d$\\1.dt'], 'DumpIB')).toBe('\\\\srv\\d$\\1.dt')
    expect(optionOf1C(['1cv8.exe', '/DumpIB', 'D:\\100%$A%.dt'], 'DumpIB')).toBe('D:\\100%$A%.dt')
  })

  it('has no option whose value only a shell knows', () => {
    for (const value of ['$DIR/1.dt', '/b/$(date +%F).dt', '"/b/`date +%F`.dt"', 'D:\\%DATE:~0,2%.dt', 'D:\\!d!.dt'])
      expect(optionOf1C(['sh', '-c', `1cv8 DESIGNER /DumpIB ${value}`], 'DumpIB')).toBeUndefined()
    expect(optionOf1C(['cmd', '/c', '1cv8', '/DumpResult', '%TEMP%\\r.txt'], 'DumpResult')).toBeUndefined()
    expect(is1C(['C:\\Program Files\\1cv8\\8.3.24.1691\\bin\\1cv8.exe'])).toBe(true)
    expect(is1C(['/opt/1cv8/x86_64/8.3.24.1691/1cv8'])).toBe(true)
    expect(is1C(['pg_dump'])).toBe(false)
  })
})
