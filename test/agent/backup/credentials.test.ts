import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { checkCredential, credentialFor, openCredentials, shareOf } from '../../../agent/backup/credentials.ts'
import { readProcessIds } from '../../../agent/windows/job.ts'
import { netResource } from '../../../agent/windows/network-share.ts'

let directory: string
beforeEach(() => {
  directory = path.join(mkdtempSync(path.join(tmpdir(), 'onec-credentials-')), 'credentials')
})
afterEach(() => rmSync(path.dirname(directory), { recursive: true }))

const NAS = { kind: 'share' as const, target: '\\\\NAS\\Backup', user: 'NAS\\копии', password: 'пароль "с" пробелом' }

describe('credentials', () => {
  it('are kept, each in a file of its own that only its owner reads', () => {
    const credentials = openCredentials(directory)
    expect(credentials.list()).toEqual([])
    credentials.set(NAS)
    credentials.set({ ...NAS, password: 'новый' })
    credentials.set({ kind: 'sql', target: '.\\SQL2019', user: 'reader', password: 'x' })
    expect(credentials.list()).toEqual([
      { kind: 'sql', target: '.\\SQL2019', user: 'reader' },
      { kind: 'share', target: NAS.target, user: NAS.user },
    ])
    expect(credentials.find('share', '//nas/backup/')?.password).toBe('новый')
    const names = readdirSync(directory)
    expect(names).toHaveLength(2)
    for (const name of names) expect(statSync(path.join(directory, name)).mode & 0o077).toBe(0)
    expect(credentials.remove('share', '\\\\nas\\backup')).toBe(true)
    expect(credentials.remove('share', '\\\\nas\\backup')).toBe(false)
  })

  it('are found for a path by its share, else by its server', () => {
    const credentials = openCredentials(directory)
    credentials.set({ ...NAS, target: '\\\\nas' })
    expect(credentialFor(credentials, '\\\\NAS\\other\\1c\\base.dt')?.user).toBe(NAS.user)
    credentials.set({ ...NAS, user: 'second' })
    expect(credentialFor(credentials, '\\\\nas\\backup\\1.dt')?.user).toBe('second')
    expect(credentialFor(credentials, 'D:\\Backup')).toBeUndefined()
    expect(shareOf('\\\\?\\UNC\\nas\\backup\\1.dt')).toBe('\\\\nas\\backup')
    expect([shareOf('\\\\nas'), shareOf('\\\\.\\pipe\\x'), shareOf('D:\\x')]).toEqual([undefined, undefined, undefined])
  })

  it.each([
    [{ target: 'nas\\backup' }, 'is no share'],
    [{ target: '\\\\nas\\backup\\deeper' }, 'is no share'],
    [{ user: '-x' }, 'user name'],
    [{ user: '' }, 'user name'],
    [{ password: '' }, '1 to 512 characters'],
    [{ password: 'two\nlines' }, '1 to 512 characters'],
    [{ kind: 'sql' as const, target: '-Q' }, 'is no server'],
  ])('are refused with %j', (more, message) => {
    expect(() => checkCredential({ ...NAS, ...more })).toThrow(message)
  })
})

it('lays out what Windows reads and wrote', () => {
  const resource = netResource(0x1234_5678_9abcn)
  expect([resource.length, resource.readUInt32LE(4), resource.readBigUInt64LE(24)]).toEqual([48, 1, 0x1234_5678_9abcn])
  const list = Buffer.alloc(8 + 8 * 4)
  list.writeUInt32LE(5, 0)
  list.writeUInt32LE(2, 4)
  list.writeBigUInt64LE(4_711n, 8)
  list.writeBigUInt64LE(8n, 16)
  expect(readProcessIds(list)).toEqual([4_711, 8])
})

it('closes a state directory that lies open before the first password is in it', async () => {
  const state = path.join(directory, 'состояние')
  mkdirSync(state, { recursive: true })
  chmodSync(state, 0o755)
  const source = path.join(directory, 'password.txt')
  writeFileSync(source, 'пароль\n')
  const main = inject('agent')
  const words = ['--state', state, '--share', '\\\\nas\\backup', '--user', 'копии', '--password', `file:${source}`]
  await promisify(execFile)(process.execPath, [main, 'backup', 'credential', 'set', ...words], { timeout: 15_000 })
  expect(statSync(state).mode & 0o777).toBe(0o700)
})
