import type { Clock } from '../clock.ts'
import type { Collector, Reading } from '../collect/collector.ts'
import { describeError } from '../error.ts'
import type { Check } from './check.ts'
import { type Finding, finding } from './finding.ts'

/** As in the agent itself. */
const READING_DEADLINE_MS = 2_000

/** What grows is counted from one reading to the next. */
const PRIME_MS = 1_000

const DEADLINE_MS = 40_000

/** How the second reading of one family went. */
export interface ReadingFacts {
  readonly family: string
  readonly tookMs: number
  readonly end:
    | { readonly kind: 'read'; readonly values: number }
    | { readonly kind: 'failed'; readonly reason: string }
    | { readonly kind: 'late' }
}

export function judgeReading({ family, tookMs, end }: ReadingFacts): Finding {
  switch (end.kind) {
    case 'read':
      return finding(end.values > 0 ? 'collector.read' : 'collector.nothing', { family, values: end.values, tookMs })
    case 'late':
      return finding('collector.late', { family, deadlineMs: READING_DEADLINE_MS })
    case 'failed': {
      const { reason } = end
      if (!/^disk counters are off/.test(reason)) return finding('collector.failed', { family, reason })
      // Its remedy is in the finding's own text.
      return finding('collector.disk_counters', { family, reason: /\((.*)\)$/s.exec(reason)?.[1] ?? reason })
    }
  }
}

/** Each family by itself, one after the other, so that its time is its own. */
export function collectorsCheck(collectors: readonly Collector[], clock: Clock): Check {
  return {
    name: 'metrics',
    deadlineMs: DEADLINE_MS,
    async run(signal) {
      const hanging = new Set<string>()
      for (const collector of collectors) {
        const { end } = await readOnce(collector, clock)
        if (end.kind === 'late') hanging.add(collector.family)
      }
      await clock.sleep(PRIME_MS, signal)
      const findings: Finding[] = []
      for (const collector of collectors) {
        // A second call would take another of Node's few I/O threads.
        const hangs = hanging.has(collector.family)
        const { family } = collector
        const facts = hangs ? { family, tookMs: 0, end: { kind: 'late' as const } } : await readOnce(collector, clock)
        findings.push({ ...judgeReading(facts), elapsedMs: facts.tookMs })
      }
      return findings
    },
  }
}

async function readOnce(collector: Collector, clock: Clock): Promise<ReadingFacts> {
  const { family } = collector
  const startedMs = clock.monoMs()
  const done = new AbortController()
  const late = clock.sleep(READING_DEADLINE_MS, done.signal).then(() => ({ kind: 'late' as const }))
  const read = Promise.resolve()
    .then(() => collector.collect())
    .then(
      reading => ({ kind: 'read' as const, values: countValues(reading) }),
      error => ({ kind: 'failed' as const, reason: describeError(error) }),
    )
  const end = await Promise.race([read, late])
  done.abort()
  return { family, tookMs: clock.monoMs() - startedMs, end }
}

const countValues = ({ metrics = {}, series = [] }: Reading): number => Object.keys(metrics).length + series.length
