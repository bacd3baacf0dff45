import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { identifyProcess, isRunning } from '../../agent/identity.ts'
import { readOwner, takeLock } from '../../agent/lock.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-lock-'))
  file = path.join(directory, 'run.lock')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('takeLock', () => {
  it('is held until it is given back', () => {
    const release = takeLock(file)
    expect(readOwner(file)).toEqual(identifyProcess(process.pid))
    release()
    expect(readOwner(file)).toBeUndefined()
  })

  it('refuses while its owner lives', () => {
    writeFileSync(file, JSON.stringify(identifyProcess(process.ppid)))
    expect(() => takeLock(file)).toThrow(`process ${process.ppid}`)
  })

  it.each([
    ['is gone', { pid: 4_194_000 }],
    ['gave its number to another one', { pid: process.ppid, began: 'another boot/1' }],
  ])('is taken over when its owner %s', (_, owner) => {
    writeFileSync(file, JSON.stringify(owner))
    takeLock(file)()
    expect(isRunning(owner)).toBe(false)
  })

  it('is taken over when a crash left it half written, and not given back for another', () => {
    writeFileSync(file, '{"pid":')
    const release = takeLock(file)
    writeFileSync(file, '{"pid":1}')
    release()
    expect(readFileSync(file, 'utf8')).toBe('{"pid":1}')
  })
})
