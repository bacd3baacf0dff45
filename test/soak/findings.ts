import { type Growth, growthOf } from './growth.ts'
import type { Sighting } from './observe.ts'
import type { Soaked, SoakOptions } from './soak.ts'

/** Before, the agent has not yet met everything that can happen to it, and its code is not all compiled. */
export const WARM_SNAPSHOTS = 2_000
/** Each about a whole round of the weather at the usual pace. */
const STRETCHES = 4
const MAX_RSS_GROWTH_MB = 2

export interface Findings {
  /** Between 2,000 snapshots and the last. */
  readonly rss_mb: Growth
  readonly anon_mb: Growth
  readonly handles: Growth
  readonly threads: Growth
  readonly rss_max_mb: number
  readonly spool_max_bytes: number
  readonly aside_max_files: number
  readonly snapshots: Soaked['account']
  readonly posts: Soaked['posts']
  /** What must not be, in words; none when all holds. */
  readonly failures: readonly string[]
}

export function findingsOf(soaked: Soaked, options: SoakOptions): Findings {
  const { sightings, account, posts } = soaked
  const stretch = Math.floor((options.snapshots - WARM_SNAPSHOTS) / STRETCHES)
  const growth = (quantity: Exclude<keyof Sighting, 'snapshots'>) =>
    growthOf(sightings, quantity, { first: WARM_SNAPSHOTS, last: options.snapshots, stretch })
  const most = (quantity: keyof Sighting) => Math.max(...sightings.map(sighting => sighting[quantity]))
  const found = {
    rss_mb: growth('rssMb'),
    anon_mb: growth('anonMb'),
    handles: growth('handles'),
    threads: growth('threads'),
    rss_max_mb: most('rssMb'),
    spool_max_bytes: most('spoolBytes'),
    aside_max_files: most('asideFiles'),
    snapshots: account,
    posts,
  }
  return { ...found, failures: failuresOf(found, soaked, options) }
}

function failuresOf(found: Omit<Findings, 'failures'>, { defects }: Soaked, { spoolBytes }: SoakOptions): string[] {
  const { rss_mb, handles, snapshots } = found
  const rules: [boolean, string][] = [
    [rss_mb.fitted <= MAX_RSS_GROWTH_MB, `RSS grew by ${rss_mb.fitted.toFixed(1)} MB`],
    [handles.fitted <= 0 && handles.to <= handles.from, `open handles grew from ${handles.from} to ${handles.to}`],
    [found.spool_max_bytes <= spoolBytes, `the spool had ${found.spool_max_bytes} bytes`],
    [snapshots.missing === 0, `${snapshots.missing} snapshots are not accounted for`],
    [snapshots.dropped > 0, 'no outage was long enough to reach the bound of the spool'],
    [defects.length === 0, `posts that no relay would take: ${defects.slice(0, 3).join('; ')}`],
  ]
  return rules.flatMap(([holds, words]) => (holds ? [] : [words]))
}
