import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLane, isRemoteMount, isUnc } from '../../../agent/backup/lane.ts'
import { readFileBy } from '../../../agent/backup/reader.ts'
import { createShares } from '../../../agent/backup/shares.ts'
import { WindowsError } from '../../../agent/windows/library.ts'
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

describe('a file that is read through the lane', () => {
  it('is closed once the dead NAS lets it be, and never left to the collector', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'onec-nas-'))
    const file = path.join(directory, '1.dt')
    writeFileSync(file, '1')
    const isOpen = () => readdirSync('/proc/self/fd').some(name => linkOf(`/proc/self/fd/${name}`) === file)
    const clock = new ManualClock()
    const lane = createLane(clock, () => true)
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const seen = { path: file, sizeBytes: 1 }
    let isReading = false
    const read = () => {
      isReading = true
      return promise
    }
    const outcome = expect(readFileBy(lane, seen, () => lane.run(file, read))).rejects.toThrow('did not answer')
    await expect.poll(() => isReading).toBe(true)
    clock.advance(15_000)
    await outcome
    expect(isOpen()).toBe(true)
    release()
    await settle()
    await readFileBy(lane, seen, async () => undefined)
    expect(isOpen()).toBe(false)
    rmSync(directory, { recursive: true })
  })
})

function linkOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(descriptor)
  } catch {
    return undefined
  }
}

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
  const clock = new ManualClock()
  const make = (connect?: (share: string, user: string, password: string) => Promise<void>) =>
    createShares(
      { ...credentials, list: () => [], set: () => undefined, remove: () => false },
      createLane(clock, isUnc),
      clock,
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

  it('try a refused password once an hour, on all shares of the server, and another one at once', async () => {
    let tries = 0
    const login = { ...SECRET }
    const shares = createShares(
      {
        find: (_, target) => (target === '\\\\nas' ? login : undefined),
        list: () => [],
        set: () => undefined,
        remove: () => false,
      },
      createLane(clock, isUnc),
      clock,
      async () => {
        tries++
        throw new WindowsError('WNetAddConnection2W', login.password === 'верный' ? 53 : 1326)
      },
    )
    const connect = (place: string) => shares.connect(place).catch(String)
    expect(await connect('\\\\nas\\backup')).toContain('1326')
    expect(await connect('\\\\nas\\other\\1c')).toContain('wrong user name or password')
    expect(tries).toBe(1)
    clock.advance(3_600_000)
    await connect('\\\\nas\\backup')
    expect(tries).toBe(2)
    login.password = 'верный'
    for (let minute = 0; minute < 3; minute++)
      expect(await connect('\\\\nas\\backup')).toContain('network path not found')
    expect(tries).toBe(5)
  })

  it('are mounted on Linux', async () => {
    await expect(make().connect('\\\\nas\\backup')).rejects.toThrow('mount the share here')
    await make().connect('//nas/backup')
  })
})
