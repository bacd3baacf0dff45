import { expect, it } from 'vitest'
import type { Clock } from '../../../agent/clock.ts'
import { runAsService, type ServiceLife } from '../../../agent/service/host.ts'
import { CONTROL, createStatusReporter, encodeStatus } from '../../../agent/service/status.ts'
import { manualClock } from '../support/manual-clock.ts'
import { StrictManager } from './strict-manager.ts'

const aborted = (signal: AbortSignal) => new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))

function begin(work: (life: ServiceLife, clock: Clock) => Promise<number>) {
  const [manager, clock] = [new StrictManager(), manualClock()]
  const hung: number[] = []
  const ended = runAsService(
    manager,
    clock,
    life => work(life, clock),
    () => hung.push(clock.monoMs()),
  )
  return { manager, clock, hung, ended }
}

it('tells the manager of a slow start, runs, and stops with a last checkpoint', async () => {
  const { manager, clock, hung, ended } = begin(async ({ stop, running }, clock) => {
    await clock.sleep(7_000)
    running()
    await aborted(stop)
    await clock.sleep(4_000)
    return 0
  })
  expect(manager.send(CONTROL.stop)).toBe(1061)
  await clock.pass(10_000)
  expect(manager.states).toEqual(['startPending', 'startPending', 'startPending', 'running'])
  expect(manager.send(CONTROL.interrogate)).toBe(0)
  expect(manager.send(3)).toBe(120)
  await clock.pass(3_600_000)
  expect(manager.send(CONTROL.stop)).toBe(0)
  await clock.pass(10_000)
  await ended
  expect(manager.states.slice(3)).toEqual(['running', 'stopPending', 'stopPending', 'stopped'])
  expect(hung).toEqual([])
})

it.each([CONTROL.shutdown, CONTROL.preshutdown])('stops for control %i', async control => {
  const { manager, ended } = begin(async ({ stop, running }) => {
    running()
    await aborted(stop)
    return 0
  })
  manager.send(control)
  await ended
  expect(manager.states).toEqual(['startPending', 'running', 'stopPending', 'stopped'])
})

it('ends with the code of a failed start, for the manager to act on', async () => {
  const { manager, ended } = begin(async () => 2)
  await ended
  expect(manager.states).toEqual(['startPending', 'stopped 2'])
})

it('ends with 0 whatever happens in a stop that was asked for: that is no failure to restart after', async () => {
  const { manager, ended } = begin(async ({ stop, running }) => {
    running()
    await aborted(stop)
    throw new Error('a bug')
  })
  manager.send(CONTROL.stop)
  await expect(ended).rejects.toThrow('a bug')
  expect(manager.states.at(-1)).toBe('stopped')
})

it('reports a bug as a failure', async () => {
  const { manager, ended } = begin(async ({ running }) => {
    running()
    throw new Error('a bug')
  })
  await expect(ended).rejects.toThrow('a bug')
  expect(manager.states.at(-1)).toBe('stopped 1')
})

it('waits for a stop that hangs no longer than its deadline, and says so', async () => {
  const { manager, clock, hung, ended } = begin(({ running }) => {
    running()
    return new Promise(() => {})
  })
  manager.send(CONTROL.stop)
  expect(manager.send(CONTROL.shutdown)).toBe(1061)
  await clock.pass(60_000)
  await ended
  expect(hung).toEqual([20_000])
  expect(manager.reports.at(-1)).toEqual({ state: 'stopped', exitCode: 0, checkpoint: 0 })
  expect(manager.reports.at(-2)).toMatchObject({ state: 'stopPending', checkpoint: 7 })
})

it('goes through its states once, in order, whoever calls again', () => {
  const states: string[] = []
  const reporter = createStatusReporter(({ state }) => states.push(state))
  reporter.progress()
  reporter.starting()
  reporter.running()
  reporter.progress()
  reporter.starting()
  reporter.stopped(0)
  reporter.stopping()
  reporter.running()
  expect(states).toEqual(['startPending', 'running', 'stopped'])
})

it('is written as SERVICE_STATUS has it', () => {
  const words = (status: Parameters<typeof encodeStatus>[0]) => [...new Uint32Array(encodeStatus(status).buffer)]
  expect(words({ state: 'startPending', exitCode: 0, checkpoint: 3 })).toEqual([0x10, 2, 0, 0, 0, 3, 15_000])
  expect(words({ state: 'running', exitCode: 0, checkpoint: 0 })).toEqual([0x10, 4, 0x105, 0, 0, 0, 0])
  expect(words({ state: 'stopped', exitCode: 2, checkpoint: 0 })).toEqual([0x10, 1, 0, 1066, 2, 0, 0])
  expect(words({ state: 'stopped', exitCode: 0, checkpoint: 0 })).toEqual([0x10, 1, 0, 0, 0, 0, 0])
})
