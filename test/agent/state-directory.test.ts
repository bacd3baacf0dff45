import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Access, secureOnWindows, secureStateDirectory, UntrustedStateError } from '../../agent/state-directory.ts'
import { PRIVATE_SDDL } from '../../agent/windows/sddl.ts'

let directory: string
let lines: string[]
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-state-'))
  lines = []
})
afterEach(() => rmSync(directory, { recursive: true }))

const secure = (name: string) => secureStateDirectory(name, (level, message) => lines.push(`${level} ${message}`))
const modeOf = (name: string) => statSync(name).mode & 0o777

it('makes a private state directory', () => {
  secure(path.join(directory, 'new', 'состояние'))
  expect(modeOf(path.join(directory, 'new', 'состояние'))).toBe(0o700)
  expect(lines).toEqual([])
})

it('closes what lies open, and says so', () => {
  const token = path.join(directory, 'token')
  writeFileSync(token, 'x', { mode: 0o600 })
  chmodSync(token, 0o644)
  mkdirSync(path.join(directory, 'spool'))
  chmodSync(directory, 0o755)
  secure(directory)
  expect([modeOf(directory), modeOf(token)]).toEqual([0o700, 0o600])
  expect(lines).toEqual([
    `warn ${directory} was open to others (mode 755); now only its owner gets in`,
    `warn ${token} was open to others (mode 644); now only its owner gets in`,
  ])
  secure(directory)
  expect(lines).toHaveLength(2)
})

describe('on Windows, where everybody may make a directory in ProgramData', () => {
  const USER = 'S-1-5-21-1111111111-222222222-333333333-1105'
  /** What an administrator's own directory there hands down. */
  const WIDE = 'O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;CIID;DCLCRPCR;;;BU)'
  const THEIRS = `O:${USER}D:P(A;OICI;FA;;;SY)`

  let state: string
  let kept: Map<string, { sddl: string; isLink: boolean }>
  beforeEach(() => {
    state = path.join(directory, 'onec-agent')
    kept = new Map()
  })

  /** Something that is there already. */
  function put(name: string, sddl: string, isLink = false): void {
    mkdirSync(name, { recursive: true })
    kept.set(name, { sddl, isLink })
  }

  /** The files are Linux', their owners and lists are kept beside them. */
  const access: Access = {
    elevated: true,
    sid: 'S-1-5-18',
    makePrivateDirectory(name) {
      if (kept.has(name)) return false
      put(name, PRIVATE_SDDL)
      return true
    },
    readSecurity: name => kept.get(name),
    makePrivate: name => void kept.set(name, { sddl: PRIVATE_SDDL, isLink: kept.get(name)?.isLink ?? false }),
  }
  const begin = () => secureOnWindows(state, (level, message) => lines.push(`${level} ${message}`), access)

  it('is made private, and taken as it is the next time', () => {
    begin()
    begin()
    expect(lines).toEqual([])
  })

  it('is closed when it lies open and only administrators put something into it', () => {
    put(state, WIDE)
    put(path.join(state, 'spool'), WIDE)
    begin()
    expect(kept.get(state)?.sddl).toBe(PRIVATE_SDDL)
    expect(lines).toEqual([`warn ${state} was open to others (BU); now only SYSTEM and administrators get in`])
  })

  it.each([
    ['was made by another user', THEIRS, false],
    ['is a link', WIDE, true],
    ['is a link', PRIVATE_SDDL, true],
  ])('%s, and is refused as it is', (words, sddl, isLink) => {
    put(state, sddl, isLink)
    expect(begin).toThrow(UntrustedStateError)
    expect(begin).toThrow(`${state} ${words}`)
    expect(kept.get(state)?.sddl).toBe(sddl)
  })

  it.each([
    ['was made by another user', THEIRS, false],
    ['is a link', WIDE, true],
  ])('lay open, and something in it %s: refused, and again at the next start', (words, sddl, isLink) => {
    put(state, WIDE)
    put(path.join(state, 'backups', 'inbox'), sddl, isLink)
    kept.set(path.join(state, 'backups'), { sddl: WIDE, isLink: false })
    for (let start = 0; start < 2; start++) expect(begin).toThrow(`${path.join(state, 'backups', 'inbox')} ${words}`)
  })

  it('is closed although a file is gone since it was listed, as an agent that runs replaces its own', () => {
    put(state, WIDE)
    writeFileSync(path.join(state, 'status.json.4711.tmp'), '')
    begin()
    expect(kept.get(state)?.sddl).toBe(PRIVATE_SDDL)
  })

  it('became a link before it was closed: refused', () => {
    put(state, WIDE)
    const flipped = { ...access, makePrivate: (name: string) => void kept.set(name, { sddl: WIDE, isLink: true }) }
    expect(() => secureOnWindows(state, () => {}, flipped)).toThrow('is a link')
  })
})
