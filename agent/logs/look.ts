import type { Clock } from '../clock.ts'

/** More calls that hang than this, and no other path is looked at: each holds one of Node's I/O threads. */
const MAX_HANGING = 2

/** Runs one look at a path, which may hang for good. */
export interface Looks<T> {
  /** What the path gave in time; else undefined, and it is left alone until its look has ended. What comes late is the answer to the next call. */
  look(path: string, start: () => Promise<T>, deadlineMs: number): Promise<T | undefined>
  /** Does not answer at present. */
  isHanging(path: string): boolean
}

export function createLooks<T>(clock: Clock): Looks<T> {
  const running = new Map<string, Promise<T>>()
  const late = new Map<string, T>()

  return {
    async look(path, start, deadlineMs) {
      const arrived = late.get(path)
      if (arrived !== undefined) {
        late.delete(path)
        return arrived
      }
      if (running.has(path) || running.size >= MAX_HANGING) return undefined
      const work = start()
      running.set(path, work)
      const done = new AbortController()
      const timeIsOver = clock.sleep(Math.max(deadlineMs, 0), done.signal).then(() => undefined)
      const inTime = await Promise.race([
        work.then(value => ({ value })).finally(() => running.delete(path)),
        timeIsOver,
      ])
      done.abort()
      if (inTime) return inTime.value
      work.then(
        value => late.set(path, value),
        () => undefined,
      )
      return undefined
    },
    isHanging: path => running.has(path),
  }
}
