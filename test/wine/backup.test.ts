import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storedReport } from '../../agent/backup/inbox.ts'
import { ROOT } from '../support/stack.ts'
import { bootWindows, type Windows } from './windows.ts'

/** What of backups only Windows can show: a tree of programs that ends with its job, and passwords under DPAPI. */

const EXE = join(ROOT, 'dist/agent/onec-agent.exe')
let windows: Windows
beforeAll(async () => {
  windows = await bootWindows([EXE])
}, 180_000)
afterAll(async () => {
  await windows?.remove()
}, 60_000)

const state = (name: string) => join(windows.drive, 'ProgramData/onec-agent', name)

/** The reports that wait for the agent, oldest first. */
const reports = () => {
  const inbox = state('backups/inbox')
  const files = readdirSync(inbox).toSorted()
  return files.map(name => storedReport.parse(JSON.parse(readFileSync(join(inbox, name), 'utf8'))).report)
}

test('a command that hangs ends at its timeout, with what it started and left behind', async () => {
  // Its parent has ended when it is to be ended: `taskkill /T` would not find it.
  writeFileSync(
    join(windows.desk.linux, 'hang.bat'),
    'start /b cmd /c start /b ping -n 600 127.0.0.1\r\npause > nul\r\nping -n 600 127.0.0.1\r\n',
  )
  const command = ['cmd', '/c', `${windows.desk.windows}\\hang.bat`]
  const running = windows.start(windows.agent, [
    'backup',
    'run',
    '--name',
    'Зарплата',
    '--timeout',
    '8s',
    '--',
    ...command,
  ])
  expect(await running.ended, running.output()).toBe(124)
  expect(windows.processes(/ping/)).toEqual([])
  expect(reports().at(-1)).toMatchObject({ state: 'failed', reason: 'killed at its timeout of 8 s' })
}, 120_000)

test('1C is believed with its own result alone', async () => {
  mkdirSync(join(windows.drive, 'Copies'))
  const run = async (result: string) => {
    const script = `(echo 12345)> C:\\Copies\\1.dt\r\n(echo ${result})> C:\\Copies\\r.txt\r\nexit 0\r\n`
    writeFileSync(join(windows.desk.linux, '1cv8.bat'), script)
    const options = ['/DumpIB', 'C:\\Copies\\1.dt', '/DumpResult', 'C:\\Copies\\r.txt']
    const command = ['cmd', '/c', `${windows.desk.windows}\\1cv8.bat`, ...options]
    await windows.do(windows.agent, 'backup', 'run', '--name', 'Бухгалтерия', '--', ...command)
    return reports().at(-1)
  }
  expect(await run('0')).toMatchObject({ state: 'ok', reason: null, sizeBytes: 7 })
  expect(await run('1')).toMatchObject({ state: 'failed', reason: expect.stringContaining('1C wrote 1 to') })
}, 120_000)

test('a password for a NAS is sealed, and shown by no list', async () => {
  writeFileSync(join(windows.desk.linux, 'password.txt'), 'пароль-от-NAS\r\n')
  const source = `file:${windows.desk.windows}\\password.txt`
  const target = ['--share', '\\\\nas\\backup']
  await windows.do(
    windows.agent,
    'backup',
    'credential',
    'set',
    ...target,
    '--user',
    'NAS\\копии',
    '--password',
    source,
  )
  const listed = await windows.do(windows.agent, 'backup', 'credential', 'list')
  expect(listed).toContain('NAS\\копии')
  expect(listed).not.toContain('пароль')
  const kept = readdirSync(state('credentials')).map(name => readFileSync(join(state('credentials'), name), 'utf8'))
  expect(kept).toEqual([expect.stringMatching(/^dpapi1:/)])
}, 120_000)
