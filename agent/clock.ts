/** Time, as the shells pass it to the rules. */
export interface Clock {
  /** Epoch milliseconds of the wall clock, which may jump. */
  nowMs(): number
  /** Milliseconds since boot; never jumps. */
  monoMs(): number
  /** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  sleep: (ms, signal) =>
    new Promise(resolve => {
      if (signal?.aborted) return resolve()
      const finish = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
      signal?.addEventListener('abort', finish)
    }),
}

/** A wait that others can cut short: `wake` also counts when it comes before `wait`. */
export interface Pause {
  wait(ms: number): Promise<void>
  wake(): void
}

export function createPause(clock: Clock): Pause {
  let woken = new AbortController()
  return {
    async wait(ms) {
      await clock.sleep(ms, woken.signal)
      woken = new AbortController()
    },
    wake: () => woken.abort(),
  }
}
