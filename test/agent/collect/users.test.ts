import { describe, expect, it } from 'vitest'
import { isUserSession, parseUtmp, usersCollector } from '../../../agent/collect/users.ts'
import { fixtureFiles } from '../support/fixture-files.ts'

function utmp(...records: { type: number; pid: number; user: string }[]): Buffer {
  return Buffer.concat(
    records.map(({ type, pid, user }) => {
      const record = Buffer.alloc(384)
      record.writeInt16LE(type, 0)
      record.writeInt32LE(pid, 4)
      record.write(user, 44)
      return record
    }),
  )
}
const table = utmp(
  { type: 2, pid: 0, user: 'reboot' },
  { type: 7, pid: 10, user: 'Администратор' },
  { type: 7, pid: 11, user: 'buh' },
  { type: 8, pid: 12, user: '' },
)
const collect = async (files: Record<string, string | Buffer>) =>
  (await usersCollector(fixtureFiles({ files }), 'x64').collect()).metrics

describe('users', () => {
  it('finds the sessions of people in utmp', () => {
    expect(parseUtmp(table, 'x64')).toEqual([10, 11])
    expect(parseUtmp(table.subarray(0, 500), 'x64')).toEqual([])
  })

  it('counts only those whose process lives', async () => {
    expect(await collect({ '/var/run/utmp': table, '/proc/10/stat': '' })).toEqual({ onec_logged_users_count: 1 })
  })

  it('asks logind where there is no utmp', async () => {
    const files = {
      '/run/systemd/sessions/1': 'UID=0\nCLASS=user\nSTATE=active\n',
      '/run/systemd/sessions/1.ref': '',
      '/run/systemd/sessions/c1': 'CLASS=greeter\nSTATE=online\n',
    }
    expect(await collect(files)).toEqual({ onec_logged_users_count: 1 })
    expect(isUserSession('CLASS=user\nSTATE=closing\n')).toBe(false)
  })

  it('is absent where neither is', async () => {
    expect(await collect({ '/proc/1/stat': '' })).toEqual({})
  })
})
