import { SAMPLES, seriesNumber, valueAt } from './snapshots.ts'

/** A host as a store knows it: by the names in its labels. */
export interface HostNames {
  readonly tenant: string
  readonly name: string
  readonly number: number
}

/** What a store holds of one host. Times are epoch milliseconds, in order. */
export interface HeldOfHost {
  readonly tenant: string
  readonly name: string
  /** Snapshots of which every series is there, with its value. */
  readonly whole: readonly number[]
  /** What should not be, in words: a snapshot in part, a wrong value, one sample twice. */
  readonly faults: readonly string[]
}

export interface StoredSeries {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly { readonly atMs: number; readonly value: number | string }[]
}

interface Found {
  /** Series by time. */
  readonly counts: Map<number, number>
  readonly faults: string[]
}

const nothingFound = (): Found => ({ counts: new Map(), faults: [] })

/** A store's series as snapshots of hosts. Series of the relay's own are passed over. */
export function snapshotsIn(stored: Iterable<StoredSeries>, hosts: readonly HostNames[]): HeldOfHost[] {
  const byName = new Map(hosts.map(host => [keyOf(host), host]))
  const found = new Map<HostNames, Found>()
  for (const { name, labels, samples } of stored) {
    const host = byName.get(keyOf({ tenant: labels.tenant ?? '', name: labels.instance ?? labels.host ?? '' }))
    const number = seriesNumber(name.startsWith('onec_') ? name : `onec_${name}`, labels.volume)
    if (!host || number === undefined) continue
    const own = found.get(host) ?? nothingFound()
    found.set(host, own)
    let lastMs = Number.NEGATIVE_INFINITY
    for (const { atMs, value } of samples) {
      if (atMs === lastMs) own.faults.push(`${name} twice at ${atMs}`)
      if (value !== valueAt(host.number, number, atMs)) own.faults.push(`${name} is ${value} at ${atMs}`)
      own.counts.set(atMs, (own.counts.get(atMs) ?? 0) + 1)
      lastMs = atMs
    }
  }
  return hosts.map(host => {
    const { counts, faults } = found.get(host) ?? nothingFound()
    const torn = [...counts].filter(([, count]) => count !== SAMPLES)
    return {
      ...host,
      whole: [...counts].flatMap(([atMs, count]) => (count === SAMPLES ? [atMs] : [])).sort((a, b) => a - b),
      faults: [...faults, ...torn.map(([atMs, count]) => `${count} of ${SAMPLES} series at ${atMs}`)],
    }
  })
}

/** The same of a store of lines: one for each snapshot. */
export function linesIn(stored: Iterable<StoredSeries>, hosts: readonly HostNames[]): HeldOfHost[] {
  const held = new Map<string, number[]>()
  for (const { labels, samples } of stored) {
    if (labels.source === 'relay') continue
    const key = keyOf({ tenant: labels.tenant ?? '', name: labels.host ?? '' })
    held.set(key, [...(held.get(key) ?? []), ...samples.map(({ atMs }) => atMs)])
  }
  return hosts.map(host => {
    const times = (held.get(keyOf(host)) ?? []).sort((a, b) => a - b)
    const twice = times.filter((atMs, index) => atMs === times[index - 1])
    return { ...host, whole: [...new Set(times)], faults: twice.map(atMs => `two lines at ${atMs}`) }
  })
}

const keyOf = ({ tenant, name }: Pick<HostNames, 'tenant' | 'name'>) => `${tenant}\n${name}`
