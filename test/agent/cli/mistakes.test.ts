import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { run } from '../../support/process.ts'

const AGENT = inject('agent')
const CONFIG = { hostId: 'h1', routes: ['http://127.0.0.1:9'], machineId: 'm'.repeat(32) }
let directory: string

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-mistakes-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const onec = async (args: readonly string[], locale = 'C') => {
  const child = run(process.execPath, [AGENT, ...args], { env: { ONEC_AGENT_STATE: directory, LC_ALL: locale } })
  return [await child.ended, child.output()] as const
}
const enrolled = (config: unknown = CONFIG) => {
  writeFileSync(path.join(directory, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
  writeFileSync(path.join(directory, 'token'), 'ohr1.test.token\n', { mode: 0o600 })
}

it.each([
  [[], 'Usage: onec-agent'],
  [['docter'], "unknown command 'docter'"],
  [['doctor', '--lang', 'de'], 'Allowed choices are en, ru'],
  [['network', '--pasword=canary'], "unknown option '--pasword=…'"],
  [['network', "--pasword=it's a canary"], "unknown option '--pasword=…'\n"],
  [['network', '--proxy', '-', 'a canary'], 'but got 1.\n'],
  [['backup', 'report', '--name', 'ut11', '--state', 'ok', '--size', 'много'], 'A whole number of bytes'],
])('the command line %j is a mistake, which ends with 2 and no secret', async (args, said) => {
  const [code, output] = await onec(args)
  expect([code, output]).toEqual([2, expect.stringContaining(said)])
  expect(output).not.toContain('canary')
})

it.each([['--help'], ['backup', 'credential', '--help'], ['version'], ['--version']])(
  '%s ends with 0',
  async (...args) => expect((await onec(args))[0]).toBe(0),
)

it.each([
  ['nothing', () => {}, 'не зарегистрирован'],
  ['what is no configuration', () => enrolled('{}'), 'config.json не удаётся использовать'],
  ['what is no JSON', () => enrolled('{"backups": "D:\\Backup"}'), 'config.json — не JSON (строка:столбец 1:17)'],
  ['no place to work in', () => execFileSync('mkdir', [path.join(directory, 'run.lock')]) && enrolled(), 'EISDIR'],
])('a state directory with %s is explained in Russian too', async (_, prepare, russian) => {
  prepare()
  const [code, output] = await onec(['run'], 'ru_RU.UTF-8')
  expect([code !== 0, output]).toEqual([true, expect.stringContaining(russian)])
  expect(output).not.toMatch(/ {4}at |canary/)
})

it.each(['| true', '> /dev/full'])('output that nobody takes (%s) is no bug', onto => {
  const line = `"${process.execPath}" "${AGENT}" once --json --state "${directory}" ${onto}; echo "\${PIPESTATUS[0]}" >&2`
  const { stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8', timeout: 30_000 })
  expect(stderr).toBe('0\n')
})

it('an error steers no terminal', async () => {
  const [code, output] = await onec(['run', '--state', `${directory}/\u001b[2J`])
  expect([code, output]).toEqual([2, expect.stringContaining('not enrolled')])
  expect(output).not.toContain('\u001b')
})

it('doctor ends although a log file is in a place that does not answer', async () => {
  const nas = path.join(directory, 'nas.log')
  // Opened for reading it waits for a writer, as a dead NAS is waited for.
  execFileSync('mkfifo', [nas])
  enrolled({ ...CONFIG, host: { logFiles: [{ path: nas }] } })
  const child = run(process.execPath, [AGENT, 'doctor', '--json', '--state', directory], {})
  await child.says(/"check\.late"/, 30_000)
  expect(await child.ended).not.toBe(0)
  expect(JSON.parse(child.output()).ok).toBe(false)
}, 45_000)
