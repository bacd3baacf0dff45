import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { secureStateDirectory } from '../../agent/state-directory.ts'

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
