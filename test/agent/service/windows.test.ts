import { beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../../agent/error.ts'
import {
  BeingDeletedError,
  DatabaseLockedError,
  SERVICE_NAME,
  type ServiceManager,
  type ServiceSpec,
} from '../../../agent/service/manager.ts'
import type { ServiceFacts } from '../../../agent/service/recovery.ts'
import { SERVICE_STATES } from '../../../agent/service/status.ts'
import { windowsService } from '../../../agent/service/windows.ts'
import { manualClock } from '../support/manual-clock.ts'

const PROGRAM = 'C:\\Program Files\\onec-agent\\onec-agent.exe'
const clock = manualClock()
let calls: string[]
let spec: ServiceSpec | undefined
let state: keyof typeof SERVICE_STATES
let exitCode: number
/** What a start leads to, and how long each change takes. */
let startsAs: keyof typeof SERVICE_STATES
let takesMs: number
/** Until then a removed one is still there. */
let goneAtMs: number
/** Until then Windows starts the services of the boot, and no other. */
let unlockedAtMs: number

beforeEach(() => {
  calls = []
  spec = undefined
  state = 'stopped'
  exitCode = 0
  startsAs = 'running'
  takesMs = 1_000
  goneAtMs = 0
  unlockedAtMs = 0
})

function change(pending: typeof state, next: typeof state): void {
  state = pending
  void clock.sleep(takesMs).then(() => {
    state = next
  })
}

const manager: ServiceManager = {
  checkRights: () => undefined,
  query: (): ServiceFacts | undefined => spec && { state: SERVICE_STATES[state], exitCode, pid: 7 },
  put(given) {
    if (clock.monoMs() < goneAtMs) throw new BeingDeletedError()
    calls.push('put')
    spec = given
  },
  start() {
    if (clock.monoMs() < unlockedAtMs) throw new DatabaseLockedError()
    calls.push('start')
    change('startPending', startsAs)
  },
  stop() {
    if (state !== 'running') throw new Error(`a stop while it is ${state}`)
    calls.push('stop')
    change('stopPending', 'stopped')
  },
  remove() {
    calls.push('remove')
    spec = undefined
  },
}
const placeProgram = () => {
  if (state !== 'stopped') throw new Error('the program is in use')
  return PROGRAM
}
const service = windowsService({ manager, clock, placeProgram, words: ['service', 'run'], logs: 'C:\\logs' })

async function within<R>(ms: number, work: Promise<R>): Promise<R> {
  work.catch(() => {})
  await clock.pass(ms)
  return await work
}

describe('the service of Windows', () => {
  it('is made, started, and made again over a running one', async () => {
    expect(await service.install()).toBe(`Service onec-agent installed: ${PROGRAM}`)
    expect(spec).toMatchObject({ name: SERVICE_NAME, imagePath: `"${PROGRAM}" service run` })
    await within(5_000, service.start())
    expect(await service.describe()).toBe('Service onec-agent: running (process 7)')
    expect(await within(5_000, service.install())).toContain('updated')
    expect(calls).toEqual(['put', 'start', 'stop', 'put'])
  })

  it('that begins is waited for before it is stopped', async () => {
    await service.install()
    // Which of the two sees it running first is nobody's to say.
    const started = service.start().catch(error => error)
    expect(await within(5_000, service.stop())).toBe(true)
    await started
    expect(state).toBe('stopped')
    expect(await service.stop()).toBe(false)
  })

  it('that stops already is waited for, and not asked again', async () => {
    await service.install()
    await within(5_000, service.start())
    change('stopPending', 'stopped')
    expect(await within(5_000, service.uninstall())).toBe('Service onec-agent removed')
    expect(calls).toEqual(['put', 'start', 'remove'])
  })

  it('is started once Windows is done with its boot, if that is soon', async () => {
    await service.install()
    unlockedAtMs = clock.monoMs() + 60_000
    await within(65_000, service.start())
    expect(state).toBe('running')
    unlockedAtMs = clock.monoMs() + 600_000
    await expect(within(120_000, service.start())).rejects.toThrow('Try again in a few minutes')
    expect(calls).toEqual(['put', 'start'])
  })

  it('that ends at its start says with which code, and where its reason is', async () => {
    await service.install()
    startsAs = 'stopped'
    exitCode = 2
    const started = within(5_000, service.start())
    await expect(started).rejects.toThrow(UserError)
    await expect(started).rejects.toThrow('ended with code 2. The reason is in C:\\logs')
  })

  it('that neither begins nor stops is waited for no longer than its deadline', async () => {
    await service.install()
    takesMs = 10 * 60_000
    await expect(within(61_000, service.start())).rejects.toThrow('did not begin in time')
    state = 'running'
    await expect(within(31_000, service.uninstall())).rejects.toThrow('process 7')
    expect(calls).not.toContain('remove')
  })

  it('is made once the one before is gone, if that is soon', async () => {
    goneAtMs = clock.monoMs() + 5_000
    expect(await within(6_000, service.install())).toContain('installed')
    goneAtMs = clock.monoMs() + 60_000
    await expect(within(30_000, service.install())).rejects.toThrow('close services.msc')
  })

  it('is stopped and removed; nothing is done where there is none', async () => {
    await service.install()
    await within(5_000, service.start())
    expect(await within(5_000, service.uninstall())).toBe('Service onec-agent removed')
    expect(await service.uninstall()).toBe('There is no service onec-agent')
    expect(await service.describe()).toBe('Service onec-agent: not installed')
    expect(calls).toEqual(['put', 'start', 'stop', 'remove'])
  })
})
