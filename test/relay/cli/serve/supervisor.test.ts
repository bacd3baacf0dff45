import { describe, expect, it } from 'vitest'
import type { Child, Exit } from '../../../../relay/cli/serve/child.ts'
import { type Supervision, supervise } from '../../../../relay/cli/serve/supervisor.ts'

interface FakeChild extends Child {
  exit(exit: Partial<Exit>): void
  readonly signals: string[]
}

function fakeChild(pid: number): FakeChild {
  let settle: (exit: Exit) => void = () => undefined
  const exited = new Promise<Exit>(resolve => {
    settle = resolve
  })
  const signals: string[] = []
  const exit = (end: Partial<Exit>) => settle({ code: null, signal: null, ...end })
  const kill = (signal: string) => {
    signals.push(signal)
    exit({ signal })
  }
  return { pid, exited, exit, kill, signals }
}

/** A supervision whose processes, clock and waits are in the test's hands. */
function fake(over: Partial<Supervision> = {}) {
  const said: string[] = []
  const waits: number[] = []
  const children: FakeChild[] = []
  const clock = { now: 0 }
  const started: ((child: FakeChild) => void)[] = []
  const supervision: Supervision = {
    name: 'relay',
    stopping: new AbortController().signal,
    async start() {
      const child = fakeChild(children.length + 1)
      children.push(child)
      started.shift()?.(child)
      return child
    },
    say: line => void said.push(line),
    now: () => clock.now,
    wait: async ms => void waits.push(ms),
    ...over,
  }
  const nextChild = () => new Promise<FakeChild>(resolve => void started.push(resolve))
  return { supervision, said, waits, children, clock, nextChild }
}

const crash = { code: 1 }

describe('supervise', () => {
  it('starts again with back-off, and from the shortest one after a steady minute', async () => {
    const { supervision, waits, said, clock, nextChild } = fake()
    const first = nextChild()
    await supervise(supervision)
    let child = await first
    for (const _ of [1, 2, 3]) {
      const next = nextChild()
      child.exit(crash)
      child = await next
    }
    expect(waits).toEqual([500, 1_000, 2_000])
    expect(said[0]).toBe('The relay ended with code 1 unasked.')
    // Until the last start has been noted.
    await new Promise(setImmediate)
    clock.now = 60_000
    const next = nextChild()
    child.exit({ signal: 'SIGKILL' })
    await next
    expect(waits.at(-1)).toBe(500)
  })

  it('gives up after ten crashes in a row', async () => {
    const { supervision, children, nextChild } = fake()
    const first = nextChild()
    const supervised = await supervise(supervision)
    let child = await first
    for (let restart = 0; restart < 10; restart++) {
      const next = nextChild()
      child.exit(crash)
      child = await next
    }
    child.exit(crash)
    expect(await supervised.ended).toContain('given up')
    expect(children).toHaveLength(11)
  })

  it('counts a start that fails as a crash', async () => {
    let starts = 0
    const child = fakeChild(1)
    const { supervision, said } = fake({
      start: async () => {
        if (starts++ > 0) throw new Error('port taken')
        return child
      },
    })
    const supervised = await supervise(supervision)
    child.exit(crash)
    expect(await supervised.ended).toContain('given up')
    expect(starts).toBe(11)
    expect(said).toContain('The relay did not start: port taken')
  })

  it('fails when the first start does', async () => {
    const { supervision } = fake({ start: async () => Promise.reject(new Error('no')) })
    await expect(supervise(supervision)).rejects.toThrow('no')
  })

  it('does not start again after a final exit', async () => {
    const { supervision, children, nextChild } = fake({ final: exit => (exit.code === 0 ? 'removed' : undefined) })
    const first = nextChild()
    const supervised = await supervise(supervision)
    ;(await first).exit({ code: 0 })
    expect(await supervised.ended).toBe('removed')
    expect(children).toHaveLength(1)
  })

  it('stop ends the process and nothing else is started', async () => {
    const { supervision, children, said } = fake()
    const supervised = await supervise(supervision)
    await supervised.stop()
    expect(children.map(child => child.signals)).toEqual([['SIGTERM']])
    expect(said).toEqual([])
  })

  it('stop while it waits to start again starts nothing', async () => {
    let waiting: () => void = () => undefined
    const isWaiting = new Promise<void>(resolve => {
      waiting = resolve
    })
    const { supervision, children } = fake({
      wait: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          waiting()
        }),
    })
    const supervised = await supervise(supervision)
    children[0]?.exit(crash)
    await isWaiting
    await supervised.stop()
    expect(children).toHaveLength(1)
  })
})
