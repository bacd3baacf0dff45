import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { checkBackups } from '../../../agent/backup/check.ts'
import { createIntegrityQueue } from '../../../agent/backup/integrity-queue.ts'
import { createLane } from '../../../agent/backup/lane.ts'
import type { LookDeps } from '../../../agent/backup/watch.ts'
import { systemClock } from '../../../agent/clock.ts'
import type { BackupConfig } from '../../../shared/host-config.ts'
import { BackupBench } from './support/bench.ts'
import { dtFile } from './support/content.ts'

let bench: BackupBench
afterEach(() => bench.close())

async function check(backups: BackupConfig[], drive: 'mapped' | 'absent' | 'local' = 'local') {
  const lane = createLane(systemClock)
  const deps: LookDeps = {
    lane,
    clock: bench.clock,
    integrity: createIntegrityQueue(lane, systemClock, AbortSignal.abort()),
    shares: { connect: async () => undefined, lost: () => undefined },
    findWriter: async () => 'none',
    sqlHistory: async () => ({ history: { code: 'sql_login_failed', words: 'the login was refused' }, askedAtMs: 0 }),
  }
  const paths = { backups: bench.stateDirectory, credentials: path.join(bench.root, 'credentials') }
  return await checkBackups({ backups }, { paths, clock: bench.clock, deps, drive: () => drive })
}

it('looks once at every configured backup, and changes nothing', async () => {
  bench = BackupBench.ofDirectory()
  const { directory } = bench
  const file = bench.put('Зарплата.dt', dtFile())
  const found = await check([
    { name: 'Зарплата', directory, pattern: '*.dt', integrity: true },
    { name: 'Пусто', directory, pattern: '*.zip' },
    { name: 'Нет', directory: '/no/such', pattern: '*' },
    { name: 'Диск', directory },
    { name: 'Сам', maxAgeMs: 86_400_000 },
    { name: 'SQL', mssql: { database: 'ut' } },
    { name: 'Статус', statusFile: path.join(directory, 'нет.json') },
  ])
  expect(found.map(({ name, source, code, isReachable }) => [name, source, code, isReachable])).toEqual([
    ['Зарплата', 'directory', 'good', true],
    ['Пусто', 'directory', 'none', true],
    ['Нет', 'directory', 'unreachable', false],
    ['Диск', 'report', 'pattern_missing', null],
    ['Сам', 'report', 'never_reported', null],
    ['SQL', 'mssql', 'sql_login_failed', false],
    ['Статус', 'status-file', 'none', true],
  ])
  expect(found[0]).toMatchObject({ file, place: directory, words: null, last: null })
  expect(found[2]?.words).toBe('/no/such is not there')
  expect(await bench.minute()).toBeUndefined()
})

it('says what was reported last', async () => {
  bench = BackupBench.ofDirectory()
  bench.put('1.dt', dtFile())
  await bench.minutes(2)
  const [found] = await check([{ name: 'Зарплата 3.1' }])
  expect(found).toMatchObject({ code: 'reported', source: 'directory', last: { state: 'ok', reason: null } })
})

it.each([
  ['mapped', 'mapped_drive'],
  ['absent', 'drive_absent'],
] as const)('knows a drive that is %s', async (drive, code) => {
  bench = BackupBench.ofDirectory()
  const [found] = await check([{ name: 'NAS', directory: 'Z:\\Копии', pattern: '*.dt' }], drive)
  expect(found).toMatchObject({ code, isReachable: false, place: 'Z:\\Копии' })
})
