import { describe, expect, it } from 'vitest'
import type { SessionSource } from '../../../../agent/collect/windows/sessions.ts'
import { usersCollector } from '../../../../agent/collect/windows/users.ts'
import { wide } from '../../../../agent/windows/library.ts'
import { sessionList } from './buffers.ts'

const [ACTIVE, CONNECTED, SHADOW, DISCONNECTED, LISTEN] = [0, 1, 3, 4, 6]
const [CONSOLE, ICA, RDP] = [0, 1, 2]

interface Session {
  readonly id: number
  readonly state: number
  readonly user?: string | undefined
  readonly protocol?: number
}

/** What every server has: services, the console at its login screen, the listener. */
const IDLE: Session[] = [
  { id: 0, state: DISCONNECTED, user: '' },
  { id: 1, state: CONNECTED, user: '' },
  { id: 65_536, state: LISTEN, user: '' },
]

function source(sessions: readonly Session[]): SessionSource {
  const find = (id: number) => sessions.find(session => session.id === id)
  return {
    list: async () => sessionList(...sessions),
    userName: async id => {
      const user = find(id)?.user
      return user === undefined ? undefined : wide(user)
    },
    protocol: async id => Buffer.from([find(id)?.protocol ?? CONSOLE, 0]),
  }
}

const count = async (sessions: readonly Session[]) => {
  const { metrics } = await usersCollector(source(sessions)).collect()
  return [metrics?.onec_logged_users_count, metrics?.onec_rdp_active_count]
}
const user = (id: number, state: number, protocol: number): Session => ({ id, state, user: `Бухгалтер${id}`, protocol })

describe('users', () => {
  it.each([
    ['nobody', [], [0, 0]],
    ['one at the console', [user(2, ACTIVE, CONSOLE)], [1, 0]],
    ['one by remote desktop', [user(2, ACTIVE, RDP)], [1, 1]],
    ['one disconnected', [user(2, DISCONNECTED, RDP)], [1, 0]],
    ['one by another protocol', [user(2, ACTIVE, ICA)], [1, 0]],
    ['one that looks over a shoulder', [user(2, SHADOW, RDP)], [1, 0]],
    ['one at the login screen', [{ id: 2, state: ACTIVE, user: '', protocol: RDP }], [0, 0]],
    ['one that has just ended', [{ id: 2, state: ACTIVE, protocol: RDP }], [0, 0]],
    [
      'ninety, every third disconnected',
      Array.from({ length: 90 }, (_, id) => user(id + 2, id % 3 ? ACTIVE : DISCONNECTED, RDP)),
      [90, 60],
    ],
  ] as [string, Session[], number[]][])('%s', async (_, sessions, expected) => {
    expect(await count([...IDLE, ...sessions])).toEqual(expected)
  })

  it('never counts session 0', async () => {
    expect(await count([{ id: 0, state: ACTIVE, user: 'Система', protocol: RDP }])).toEqual([0, 0])
  })

  it('is unread when a session cannot be asked', async () => {
    const failing = { ...source([user(2, ACTIVE, RDP)]), userName: () => Promise.reject(new Error('access denied')) }
    await expect(usersCollector(failing).collect()).rejects.toThrow('access denied')
  })
})
