import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../../agent/error.ts'
import { isBelow, placeProgram, requireOnlyOwners } from '../../../agent/service/program-files.ts'
import { systemdService } from '../../../agent/service/systemd.ts'
import { systemdUnit } from '../../../agent/service/systemd-unit.ts'

const usual = { command: ['/usr/local/bin/onec-agent', 'service', 'run'], stateDirectory: '/var/lib/onec-agent' }
const lineOf = (unit: string, setting: string) => unit.split('\n').find(line => line.startsWith(`${setting}=`))

let directory: string
let unitFile: string
let calls: string[]
let failing: string | undefined
let active: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-unit-'))
  unitFile = path.join(directory, 'onec-agent.service')
  calls = []
  failing = undefined
  active = 'inactive'
})
afterEach(() => rmSync(directory, { recursive: true }))

async function systemctl(...words: string[]): Promise<string> {
  if (words[0] === 'is-active') {
    if (active !== 'active') throw Object.assign(new Error('exit code 3'), { stdout: `${active}\n` })
    return active
  }
  calls.push(words.join(' '))
  if (words[0] === failing) throw Object.assign(new Error('exit code 1'), { stderr: 'Job failed.\nSee the journal.\n' })
  return ''
}
const options = { ...usual, command: () => usual.command, systemctl }
const service = (booted = true) => systemdService({ ...options, booted, unitFile })

describe('the unit', () => {
  it('is this', () => expect(systemdUnit(usual)).toMatchFileSnapshot('../../golden/agent/onec-agent.service'))

  it('lets the agent write to its state directory, wherever it lies', () => {
    expect(lineOf(systemdUnit(usual), 'StateDirectory')).toBe('StateDirectory=onec-agent')
    const elsewhere = systemdUnit({ ...usual, stateDirectory: '/srv/agent state/100%' })
    expect(lineOf(elsewhere, 'ReadWritePaths')).toBe('ReadWritePaths="/srv/agent state/100%%"')
    expect(lineOf(elsewhere, 'StateDirectory')).toBeUndefined()
  })

  it('quotes what systemd would take apart or expand', () => {
    const unit = systemdUnit({
      ...usual,
      command: ['/opt/a b/x', '--state', '/сервер/$HOME/"q"\\%n', 'service', 'run'],
    })
    expect(lineOf(unit, 'ExecStart')).toBe('ExecStart="/opt/a b/x" --state "/сервер/$$HOME/\\"q\\"\\\\%%n" service run')
  })

  it('is taken by systemd as it is, where there is one to ask', async () => {
    const analyze = '/usr/bin/systemd-analyze'
    if (!existsSync(analyze)) return
    const unit = systemdUnit({ ...usual, command: ['/bin/true', 'service', 'run'], stateDirectory: '/var/lib/a b' })
    writeFileSync(unitFile, unit)
    const { stdout, stderr } = await promisify(execFile)(analyze, ['verify', '--man=no', unitFile], { timeout: 15_000 })
    expect(`${stdout}${stderr}`.split('\n').filter(line => line.includes('onec-agent.service'))).toEqual([])
  })
})

describe('the service of systemd', () => {
  it('is written, enabled and started, and again as an update', async () => {
    expect(await service().install()).toBe(`${unitFile} written`)
    await service().start()
    expect(statSync(unitFile).mode & 0o777).toBe(0o644)
    expect(readFileSync(unitFile, 'utf8')).toBe(systemdUnit(usual))
    expect(await service().install()).toBe(`${unitFile} updated`)
    const made = ['daemon-reload', 'enable onec-agent.service']
    expect(calls).toEqual([...made, 'restart onec-agent.service', ...made])
  })

  it('is stopped when it runs, and removed', async () => {
    expect(await service().stop()).toBe(false)
    await service().install()
    expect(await service().describe()).toBe('Service onec-agent.service: inactive')
    expect(await service().stop()).toBe(false)
    active = 'failed'
    expect(await service().stop()).toBe(false)
    active = 'active'
    expect(await service().stop()).toBe(true)
    expect(await service().uninstall()).toBe(`${unitFile} removed`)
    expect(calls.slice(2)).toEqual(['stop onec-agent.service', 'disable --now onec-agent.service', 'daemon-reload'])
    expect(await service().uninstall()).toBe(`There is no ${unitFile}`)
    expect(await service().describe()).toBe('Service: not installed')
  })

  it('is stopped also between a failure and its restart, which could come in the middle of an enrolment', async () => {
    await service().install()
    active = 'activating'
    expect(await service().stop()).toBe(true)
    expect(calls.at(-1)).toBe('stop onec-agent.service')
  })

  it('says what to do where systemctl fails, systemd does not run, or is not there', async () => {
    failing = 'restart'
    await service().install()
    await expect(service().start()).rejects.toThrow(/restart .* failed: See the journal\. Look: journalctl -u/)
    calls = []
    await service(false).install()
    await expect(service(false).start()).rejects.toThrow('onec-agent run')
    expect(await service(false).describe()).toContain('systemd does not run here')
    expect(calls).toEqual([])
    const nowhere = systemdService({ ...options, booted: false, unitFile: path.join(directory, 'no', 'x') })
    expect(() => nowhere.checkRights()).toThrow(UserError)
    await expect(nowhere.install()).rejects.toThrow(UserError)
    service().checkRights()
  })

  it('is not made, and no code used up, for a program that root must not run', async () => {
    const command = () => {
      throw new UserError('can be changed by others')
    }
    const refused = systemdService({ ...options, command, booted: true, unitFile })
    expect(() => refused.checkRights()).toThrow('by others')
    await expect(refused.install()).rejects.toThrow('by others')
    expect(existsSync(unitFile)).toBe(false)
  })
})

describe('a program', () => {
  it('is copied to where only administrators write, over one that is in use', () => {
    const [downloads, programs] = [path.join(directory, 'Загрузки'), path.join(directory, 'Program Files')]
    for (const each of [downloads, programs]) mkdirSync(each)
    const running = path.join(downloads, 'onec-agent.exe')
    writeFileSync(running, 'release 1')
    const program = placeProgram(running, programs)
    expect(program).toBe(path.join(programs, 'onec-agent', 'onec-agent.exe'))
    writeFileSync(running, 'release 2')
    expect(placeProgram(running, programs)).toBe(program)
    expect(readFileSync(program, 'utf8')).toBe('release 2')
    expect(placeProgram(program, programs)).toBe(program)
    expect(isBelow(program.toUpperCase(), programs)).toBe(true)
    expect(isBelow(programs, programs)).toBe(false)
    expect(isBelow(path.join(`${programs} (x86)`, 'x'), programs)).toBe(false)
  })

  it('is refused on Linux where somebody else could exchange it', () => {
    const own = process.getuid?.() ?? 0
    const folder = path.join(directory, 'Загрузки')
    mkdirSync(folder, { mode: 0o755 })
    const program = path.join(folder, 'onec-agent')
    writeFileSync(program, '', { mode: 0o755 })
    // Below /tmp, which everybody may write to, and where nobody moves what is another's.
    expect(requireOnlyOwners(program, own)).toBe(program)
    chmodSync(folder, 0o777)
    expect(() => requireOnlyOwners(program, own)).toThrow(`${folder} can be changed by others`)
    chmodSync(folder, 0o755)
    if (own === 0) chownSync(program, 1000, 1000)
    expect(() => requireOnlyOwners(program)).toThrow(`sudo install -m 755 ${program}`)
  })
})
