import { setImmediate as turn } from 'node:timers/promises'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly happen: () => unknown
}

/** A clock that moves only when it is told to, and what happens as it does, each thing at its time and in its order. */
export class SimulatedTime {
  now: number
  #order = 0
  #working = 0
  readonly #events: Event[] = []

  constructor(startMs: number) {
    this.now = startMs
  }

  /** `happen` is called once the clock is there; the answer calls it off. */
  at(atMs: number, happen: () => unknown): () => void {
    const event = { atMs: Math.max(atMs, this.now), order: this.#order++, happen }
    let place = this.#events.length
    while (place > 0 && isLater(this.#events[place - 1], event)) place -= 1
    this.#events.splice(place, 0, event)
    return () => {
      const found = this.#events.indexOf(event)
      if (found >= 0) this.#events.splice(found, 1)
    }
  }

  after(ms: number, happen: () => unknown): () => void {
    return this.at(this.now + ms, happen)
  }

  wait(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  /** Moves to `untilMs`; after each event everything that it set off runs until it waits for the clock again. */
  async run(untilMs: number): Promise<void> {
    while ((this.#events[0]?.atMs ?? Number.POSITIVE_INFINITY) <= untilMs) await this.#next()
    this.now = untilMs
  }

  /** Moves until `promise` is settled. */
  async resolve<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    await this.#settle()
    while (!isSettled) await this.#next()
    return promise
  }

  /** Work on another thread, which the clock waits for: what it takes is none of the simulated time. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#working += 1
    return work.finally(() => {
      this.#working -= 1
    })
  }

  async #next(): Promise<void> {
    const next = this.#events.shift()
    if (!next) throw new Error('Something waits for what will never happen.')
    this.now = next.atMs
    next.happen()
    await this.#settle()
  }

  async #settle(): Promise<void> {
    do await turn()
    while (this.#working > 0)
    await turn()
  }
}

const isLater = (one: Event | undefined, other: Event) =>
  one !== undefined && (one.atMs > other.atMs || (one.atMs === other.atMs && one.order > other.order))
