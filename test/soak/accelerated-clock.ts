import { type Clock, systemClock } from '../../agent/clock.ts'

/** A clock on which `speed` seconds pass in each real one, from the real time on. */
export function acceleratedClock(speed: number, base: Clock = systemClock): Clock {
  const startedAtMs = base.nowMs()
  const startMonoMs = base.monoMs()
  const passedMs = () => (base.monoMs() - startMonoMs) * speed
  return {
    nowMs: () => Math.round(startedAtMs + passedMs()),
    monoMs: () => startMonoMs + passedMs(),
    sleep: (ms, signal) => base.sleep(ms / speed, signal),
  }
}
