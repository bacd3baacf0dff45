import type { Clock } from '../../../agent/clock.ts'

export interface ManualClock extends Clock {
  /** Lets time pass, with every sleeper that is due on its way woken in order. */
  pass(ms: number): Promise<void>
}

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

/** Time stands still until it is told to pass. */
export function manualClock(startMs = 1_795_400_000_000): ManualClock {
  let nowMs = startMs
  const sleepers = new Set<{ atMs: number; wake: () => void }>()
  return {
    nowMs: () => nowMs,
    monoMs: () => nowMs - startMs,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve()
        const wake = () => {
          sleepers.delete(sleeper)
          resolve()
        }
        const sleeper = { atMs: nowMs + ms, wake }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', wake)
      }),
    async pass(ms) {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const next = [...sleepers].filter(each => each.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (!next) break
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
        await settle()
      }
      nowMs = endMs
    },
  }
}
