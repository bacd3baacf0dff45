import { median } from '../bench/process-stats.ts'
import type { Sighting } from './observe.ts'

export interface Growth {
  /** Medians of the first and of the last stretch. */
  readonly from: number
  readonly to: number
  /** What a line through the medians of all stretches rises from `first` to `last`. */
  readonly fitted: number
}

type Quantity = Exclude<keyof Sighting, 'snapshots'>

/**
 * How a quantity grew from `first` to `last` snapshots. Memory rises and falls with every collection and every outage,
 * so whole stretches are compared by their medians, and the line is Theil and Sen's (the median of all slopes between two
 * stretches): one odd stretch does not tilt it.
 */
export function growthOf(
  sightings: readonly Sighting[],
  quantity: Quantity,
  { first, last, stretch }: { first: number; last: number; stretch: number },
): Growth {
  const medians: number[] = []
  for (let at = first; at + stretch <= last; at += stretch) {
    const inside = sightings.filter(({ snapshots }) => snapshots >= at && snapshots < at + stretch)
    if (inside.length === 0) throw new Error(`nobody looked between ${at} and ${at + stretch} snapshots`)
    medians.push(median(inside.map(sighting => sighting[quantity])))
  }
  const slopes = medians.flatMap((later, to) =>
    medians.slice(0, to).map((sooner, from) => (later - sooner) / (to - from)),
  )
  const [from = Number.NaN] = medians
  return { from, to: medians.at(-1) ?? Number.NaN, fitted: (median(slopes) * (last - first)) / stretch }
}
