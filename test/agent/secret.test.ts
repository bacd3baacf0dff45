import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../agent/error.ts'
import { readSecret, type Sealer, writeSecret } from '../../agent/secret.ts'

/** Stands in for DPAPI: a key per machine, and what another machine sealed does not open. */
function machine(key: number): Sealer {
  return {
    seal: plain => Buffer.concat([Buffer.from([key]), plain.map(byte => byte ^ key)]),
    unseal(sealed) {
      if (sealed[0] !== key) throw new UserError('another machine')
      return Buffer.from(sealed.subarray(1).map(byte => byte ^ key))
    },
  }
}

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-sealed-'))
  file = path.join(directory, 'token')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('a secret', () => {
  it('is sealed where there is a sealer, in a format that says so', () => {
    writeSecret(file, 'ohr1.пароль', machine(7))
    expect(readFileSync(file, 'utf8')).toMatch(/^dpapi1:[A-Za-z0-9+/]+=*\n$/)
    expect(readFileSync(file, 'latin1')).not.toContain('ohr1')
    expect(readSecret(file, machine(7))).toBe('ohr1.пароль')
  })

  it('that an older agent left in the open is read, and sealed from then on', () => {
    writeFileSync(file, 'ohr1.open\n')
    expect(readSecret(file, machine(7))).toBe('ohr1.open')
    expect(readFileSync(file, 'utf8')).toMatch(/^dpapi1:/)
    expect(readSecret(file, machine(7))).toBe('ohr1.open')
  })

  it('left in the open is of use also where it cannot be rewritten', () => {
    writeFileSync(file, 'ohr1.open\n')
    // The name of the temporary file is taken.
    mkdirSync(`${file}.${process.pid}.tmp`)
    expect(readSecret(file, machine(7))).toBe('ohr1.open')
  })

  it('of another machine says what to do, and nothing of what is in it', () => {
    writeSecret(file, 'ohr1.secret', machine(7))
    for (const sealer of [machine(8), undefined]) {
      expect(() => readSecret(file, sealer)).toThrow(UserError)
      expect(() => readSecret(file, sealer)).toThrow(/enrol this host again/)
      expect(() => readSecret(file, sealer)).not.toThrow(/secret/)
    }
  })

  it('lies open to its owner alone where the system seals nothing', () => {
    expect(readSecret(file)).toBeUndefined()
    writeSecret(file, 'ohr1.plain')
    expect(readFileSync(file, 'utf8')).toBe('ohr1.plain\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readSecret(file)).toBe('ohr1.plain')
  })
})
