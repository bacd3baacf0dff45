import type { HeldSeries } from './stand-ins/store.ts'

/**
 * What a store must hold, against what it holds. A stand-in can refuse a NaN, but no server can see that a 0 was once
 * "unknown": only who knows the snapshot can, since the snapshot left that metric out. So a test says all that it sent,
 * and whatever else is held was invented on the way.
 */
export interface ExpectedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly atMs: number
  readonly value: number | string
}

/** Lines for a person; all empty: the store holds exactly what was expected, each sample taken once. */
export interface Difference {
  readonly missing: readonly string[]
  /** Held, and nobody sent it: a zero for an unknown reading, a sample at a wrong time. */
  readonly invented: readonly string[]
  /** Held with another value. */
  readonly altered: readonly string[]
  /** Taken more than once, which a lost reply explains and nothing else does. */
  readonly repeated: readonly string[]
}

interface SnapshotLike {
  readonly atMs: number
  readonly metrics: Readonly<Record<string, number>>
  readonly series?: readonly { name: string; labels: Readonly<Record<string, string>>; value: number }[] | undefined
}

/** The samples of snapshots under these labels. `rename` gives a metric's name in the store (InfluxDB's field). */
export function expectedOf(
  snapshots: readonly SnapshotLike[],
  labels: Readonly<Record<string, string>>,
  rename: (metric: string) => string = metric => metric,
): ExpectedSample[] {
  return snapshots.flatMap(({ atMs, metrics, series = [] }) => [
    ...Object.entries(metrics).map(([name, value]) => ({ name: rename(name), labels, atMs, value })),
    ...series.map(one => ({ name: rename(one.name), labels: { ...labels, ...one.labels }, atMs, value: one.value })),
  ])
}

const nameOf = (name: string, labels: Readonly<Record<string, string>>) =>
  `${name}${JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))))}`

/**
 * Compares by name, labels and time. `timeless`: by name and labels alone, against each series' newest sample, for a
 * Pushgateway, which knows no times.
 */
export function compareHeld(
  held: Iterable<HeldSeries>,
  expected: readonly ExpectedSample[],
  { timeless = false }: { readonly timeless?: boolean } = {},
): Difference {
  const keyOf = (name: string, labels: Readonly<Record<string, string>>, atMs: number) =>
    timeless ? nameOf(name, labels) : `${nameOf(name, labels)} at ${atMs}`
  const wanted = new Map(expected.map(one => [keyOf(one.name, one.labels, one.atMs), one.value]))
  const [invented, altered, repeated]: [string[], string[], string[]] = [[], [], []]
  for (const { name, labels, samples } of held) {
    for (const { atMs, value, times } of timeless ? samples.slice(-1) : samples) {
      const key = keyOf(name, labels, atMs)
      const want = wanted.get(key)
      if (want === undefined) invented.push(`${key}: ${value}`)
      else if (!Object.is(want, value)) altered.push(`${key}: ${value} instead of ${want}`)
      if (times > 1) repeated.push(`${key}: ${times} times`)
      wanted.delete(key)
    }
  }
  return { missing: [...wanted].map(([key, value]) => `${key}: ${value}`), invented, altered, repeated }
}
