import { describe, expect, it } from 'vitest'
import { createLane, isRemoteMount, isUnc } from '../../../agent/backup/lane.ts'
import { createShares } from '../../../agent/backup/shares.ts'
import { ManualClock } from './support/bench.ts'

const never = () => new Promise<never>(() => undefined)
const isRemote = (place: string) => place.startsWith('/nas')
const settle = () => new Promise(resolve => setTimeout(resolve, 5))

describe('a lane', () => {
  it('makes one call at a time', async () => {
    const lane = createLane(new ManualClock(), isRemote)
    let running = 0
    const call = async () => {
      expect(++running).toBe(1)
      await settle()
      running--
    }
    await Promise.all([lane.run('/a', call), lane.run('/b', call), lane.run('/nas', call)])
  })

  it('gives up a dead NAS at its deadline, and calls only this machine until that call has ended', async () => {
    const clock = new ManualClock()
    const lane = createLane(clock, isRemote)
    const { promise, resolve: release } = Promise.withResolvers<string>()
    const hung = lane.run('/nas/backup', () => promise)
    const outcome = expect(hung).rejects.toThrow('/nas/backup did not answer within 15 s')
    await settle()
    clock.advance(15_000)
    await outcome
    await expect(lane.run('/nas/other', async () => 1)).rejects.toThrow('an earlier call to /nas/backup has not ended')
    expect(await lane.run('/local', async () => 2)).toBe(2)
    release('at last')
    await settle()
    expect(await lane.run('/nas/other', async () => 3)).toBe(3)
  })

  it('lets two calls hang at most, so that collection and shipping keep their threads', async () => {
    const clock = new ManualClock()
    const lane = createLane(clock, isRemote)
    for (const place of ['/nas/1', '/broken-disk']) {
      const outcome = expect(lane.run(place, never)).rejects.toThrow('did not answer')
      await settle()
      clock.advance(15_000)
      await outcome
    }
    await expect(lane.run('/local', async () => 1)).rejects.toThrow('has not ended')
  })

  it('goes on after a call that failed', async () => {
    const lane = createLane(new ManualClock(), isRemote)
    await expect(lane.run('/a', () => Promise.reject(new Error('ENOENT')))).rejects.toThrow('ENOENT')
    expect(await lane.run('/a', async () => 1)).toBe(1)
  })
})

it('knows places on other machines', () => {
  const mounts = [
    '/dev/sda1 / ext4 rw 0 0',
    'nas:/volume1 /mnt/nas nfs4 rw,hard 0 0',
    '//nas/b /mnt/Резервные\\040копии cifs rw 0 0',
    '/dev/sdb1 /mnt/nas/local ext4 rw 0 0',
  ].join('\n')
  expect(isRemoteMount('/mnt/nas/2026', mounts)).toBe(true)
  expect(isRemoteMount('/mnt/nas', mounts)).toBe(true)
  expect(isRemoteMount('/mnt/nas2', mounts)).toBe(false)
  expect(isRemoteMount('/mnt/nas/local/x', mounts)).toBe(false)
  expect(isRemoteMount('/mnt/Резервные копии', mounts)).toBe(true)
  expect(['\\\\nas\\b', '//nas/b', '\\\\?\\UNC\\nas\\b'].every(isUnc)).toBe(true)
  expect(['D:\\b', '\\\\?\\D:\\b', '\\\\.\\pipe', '/b'].some(isUnc)).toBe(false)
})

describe('shares', () => {
  const SECRET = { kind: 'share' as const, target: '\\\\nas', user: 'NAS\\копии', password: 'тайна' }
  const credentials = { find: (_: string, target: string) => (target.toLowerCase() === '\\\\nas' ? SECRET : undefined) }
  const make = (connect?: (share: string, user: string, password: string) => Promise<void>) =>
    createShares(
      { ...credentials, list: () => [], set: () => undefined, remove: () => false },
      createLane(new ManualClock(), isUnc),
      connect,
    )

  it('are opened once, with what is kept for them or for their server, and anew when they were lost', async () => {
    const opened: string[][] = []
    const shares = make(async (...args) => void opened.push(args))
    for (const place of ['\\\\NAS\\Backup\\1c', '\\\\nas\\backup', 'D:\\Backup', '\\\\other\\backup'])
      await shares.connect(place)
    expect(opened).toEqual([['\\\\nas\\backup', SECRET.user, SECRET.password]])
    shares.lost('\\\\nas\\backup\\1c')
    await shares.connect('\\\\nas\\backup')
    expect(opened).toHaveLength(2)
  })

  it('say why they cannot be opened, without the password', async () => {
    const refuse = () => Promise.reject(new Error('wrong user name or password (error 1326)'))
    const error = await make(refuse).connect('\\\\nas\\backup\\1.dt').catch(String)
    expect(error).toContain('\\\\nas\\backup cannot be opened as NAS\\копии: wrong user name or password (error 1326)')
    expect(error).not.toContain('тайна')
  })

  it('are mounted on Linux', async () => {
    await expect(make().connect('\\\\nas\\backup')).rejects.toThrow('mount the share here')
    await make().connect('//nas/backup')
  })
})
