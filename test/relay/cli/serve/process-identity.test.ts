import { describe, expect, it } from 'vitest'
import { identityOf, isAlive, readIdentity } from '../../../../relay/cli/serve/process-identity.ts'

/** Fields 1 to 22 of proc(5)'s stat; the 22nd is the start time. */
const stat = (name: string, state: string) =>
  `4242 (${name}) ${state} 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200`

describe('process identity', () => {
  it('is the boot and the start, whatever the name holds', () => {
    expect(readIdentity('boot-1\n', stat('workerd', 'S'))).toBe('boot-1/987654')
    expect(readIdentity('boot-1\n', stat('a) R (b', 'S'))).toBe('boot-1/987654')
  })

  it('a zombie has ended', () => {
    expect(readIdentity('boot-1', stat('workerd', 'Z'))).toBeNull()
  })

  it('tells a process from another one with its pid', async () => {
    const { pid } = process
    const identity = await identityOf(pid)
    expect(await isAlive({ pid, identity })).toBe(true)
    expect(await isAlive({ pid, identity: `${identity}0` })).toBe(false)
    expect(await isAlive({ pid, identity: null })).toBe(true)
  })
})
