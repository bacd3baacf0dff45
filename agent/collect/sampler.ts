import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import type { Collector, Reading } from './collector.ts'

export interface Sample {
  readonly metrics: Record<string, number>
  readonly series: NonNullable<Reading['series']>
  /** Families that gave nothing, and why. */
  readonly problems: readonly { readonly family: string; readonly reason: string }[]
}

/** Reads all families at once. Each has a deadline; one that missed it is left alone until its call has ended. */
export interface Sampler {
  sample(): Promise<Sample>
}

export function createSampler(collectors: readonly Collector[], deadlineMs: number, clock: Clock): Sampler {
  // A call that hangs (a dead network mount) holds one of Node's few I/O threads: a second one is never started.
  const hanging = new Set<string>()

  async function read(collector: Collector): Promise<Reading> {
    if (hanging.has(collector.family)) throw new Error('an earlier reading has not ended')
    hanging.add(collector.family)
    return await collector.collect().finally(() => hanging.delete(collector.family))
  }

  return {
    async sample() {
      const done = new AbortController()
      // One for all of them, as they start together.
      const late = clock.sleep(deadlineMs, done.signal).then(() => {
        throw new Error(`no reading within ${deadlineMs} ms`)
      })
      // Nobody listens to it when all were faster, and its timer is ended.
      late.catch(() => undefined)
      const results = await Promise.allSettled(collectors.map(collector => Promise.race([read(collector), late])))
      done.abort()
      const readings = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
      return {
        metrics: Object.assign({}, ...readings.map(reading => reading.metrics)),
        series: readings.flatMap(reading => reading.series ?? []),
        problems: results.flatMap((result, index) =>
          result.status === 'rejected'
            ? [{ family: collectors[index]?.family ?? '', reason: describeError(result.reason) }]
            : [],
        ),
      }
    },
  }
}
