import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuMs, median } from '../process-stats.ts'

const LOOK_EVERY_MS = 200
/** A start, and code that is not compiled yet, are no part of a round's cost. */
export const WARM_ROUNDS = 20

/** What a process costs that does the same thing again and again: a snapshot, a scrape. */
export interface Cost {
  /** Median over the last twenty rounds: memory falls with every collection. */
  readonly rssMb: number
  /** Of it the process's own; the rest is pages of its executable and libraries, which the system may take back. */
  readonly anonMb: number
  readonly peakMb: number
  readonly cpuMsPerRound: number
  readonly threads: number
}

/** Looks at a process until it has done so many rounds. */
export async function measureCost(
  pid: number,
  roundsDone: () => number,
  rounds: number,
  stop: AbortSignal,
): Promise<Cost> {
  const late: { rss: number; anon: number }[] = []
  let warm: { rounds: number; cpu: number } | undefined
  for (;;) {
    const done = roundsDone()
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
    if (done >= WARM_ROUNDS) warm ??= { rounds: done, cpu: await cpuMs(pid) }
    if (done > rounds - 20) late.push({ rss: field('VmRSS'), anon: field('RssAnon') })
    if (warm && done >= rounds)
      return {
        rssMb: median(late.map(({ rss }) => rss)) / 1024,
        anonMb: median(late.map(({ anon }) => anon)) / 1024,
        peakMb: field('VmHWM') / 1024,
        cpuMsPerRound: ((await cpuMs(pid)) - warm.cpu) / (done - warm.rounds),
        threads: field('Threads'),
      }
    await wait(LOOK_EVERY_MS, undefined, { signal: stop })
  }
}

/** Does something once a second; how often it was done so far. */
export function everySecond(
  round: () => Promise<void>,
  stop: AbortSignal,
): { done: () => number; failed: Promise<never> } {
  let done = 0
  const loop = async (): Promise<never> => {
    for (;;) {
      const startMs = performance.now()
      await round()
      done += 1
      await wait(Math.max(1_000 - (performance.now() - startMs), 0), undefined, { signal: stop })
    }
  }
  const failed = loop()
  // Whoever waits for it hears of it; at the end nobody does.
  failed.catch(() => {})
  return { done: () => done, failed }
}
