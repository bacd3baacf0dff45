/**
 * What a stand-in took, per series and timestamp, bounded in memory: the series written longest ago and the oldest
 * samples go first, counted. `times` above 1 is a sample that was taken again (a re-send after a lost reply).
 */
export interface HeldSample {
  readonly atMs: number
  /**
   * A finite number; the words `stale`, `NaN`, `+Inf`, `-Inf` for what JSON cannot say; for Loki the line; for an
   * InfluxDB field that is no number its text.
   */
  readonly value: number | string
  readonly times: number
  /** Loki's structured metadata. */
  readonly fields?: Readonly<Record<string, string>>
}

export interface HeldSeries {
  /** The metric; for InfluxDB the field; empty for Loki, whose streams have no name. */
  readonly name: string
  /** Without the name. InfluxDB's measurement is the label `_measurement`. */
  readonly labels: Readonly<Record<string, string>>
  /** By time. */
  readonly samples: readonly HeldSample[]
}

export interface SampleInput {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly atMs: number
  readonly value: number | string
  readonly fields?: Readonly<Record<string, string>>
}

export interface StoreBounds {
  readonly maxSeries: number
  readonly maxSamplesPerSeries: number
}

export const DEFAULT_BOUNDS: StoreBounds = { maxSeries: 20_000, maxSamplesPerSeries: 20_000 }

/** Which of two samples of one series are the same one: those at one time, or (Loki) also with one line. */
export type SampleIdentity = (sample: SampleInput) => string

/** Identity of a series: its name and its sorted labels. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([name, ...sorted.flat()])
}

interface Row {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly samples: Map<string, HeldSample>
}

export interface Store {
  /** Holds a sample. One that is held already has its `times` raised and, unless `keepFirst`, its value replaced. */
  take(sample: SampleInput, keepFirst?: boolean): void
  series(): Map<string, HeldSeries>
  clear(): void
  readonly counts: { taken: number; takenAgain: number; droppedSeries: number; droppedSamples: number }
}

/** Removes what was put in first, if anything; 1 when it did. */
export function dropOldest(map: Map<string, unknown>): number {
  const [oldest] = map.keys()
  return oldest !== undefined && map.delete(oldest) ? 1 : 0
}

export function createStore(
  bounds: StoreBounds = DEFAULT_BOUNDS,
  identify: SampleIdentity = ({ atMs }) => String(atMs),
): Store {
  const rows = new Map<string, Row>()
  const counts = { taken: 0, takenAgain: 0, droppedSeries: 0, droppedSamples: 0 }

  /** The row of a series, moved to the end: a Map iterates in the order of insertion, so the first is the oldest. */
  function touch(name: string, labels: Readonly<Record<string, string>>): Row {
    const key = seriesKey(name, labels)
    const row: Row = rows.get(key) ?? { name, labels, samples: new Map() }
    rows.delete(key)
    rows.set(key, row)
    if (rows.size > bounds.maxSeries) counts.droppedSeries += dropOldest(rows)
    return row
  }

  return {
    counts,
    take(sample, keepFirst = false) {
      const { samples } = touch(sample.name, sample.labels)
      const id = identify(sample)
      const before = samples.get(id)
      counts.taken += 1
      if (before) counts.takenAgain += 1
      samples.set(id, {
        atMs: sample.atMs,
        value: before && keepFirst ? before.value : sample.value,
        times: (before?.times ?? 0) + 1,
        ...(sample.fields && { fields: sample.fields }),
      })
      if (samples.size > bounds.maxSamplesPerSeries) counts.droppedSamples += dropOldest(samples)
    },
    series: () =>
      new Map(
        [...rows].map(([key, { name, labels, samples }]) => [
          key,
          { name, labels, samples: [...samples.values()].sort((a, b) => a.atMs - b.atMs) },
        ]),
      ),
    clear: () => rows.clear(),
  }
}
