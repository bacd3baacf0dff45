/** Counters of one part (an interface, a disk) by name; one that the part does not have is left out. */
export type PartCounters<K extends string> = Readonly<Partial<Record<K, number>>>

/**
 * Sums the counters of parts that come, go, restart and wrap into totals that only grow. A plain sum would fall when a
 * part is unplugged or wraps at 32 bits, and Prometheus takes any fall for a restart from zero: `rate()` would add the
 * whole sum once more. A change of the total is what its parts really did.
 */
export interface RunningTotals<K extends string> {
  /** The totals after a reading of all parts that are there; a counter that none of them has is left out. */
  add(parts: ReadonlyMap<string, PartCounters<K>>): Partial<Record<K, number>>
}

/** Parts that are remembered while they are away; the one away for longest is forgotten first. */
const MAX_PARTS = 256

export function createRunningTotals<K extends string>(): RunningTotals<K> {
  const last = new Map<string, PartCounters<K>>()
  const totals: Partial<Record<K, number>> = {}
  let first = true

  function addPart(id: string, counters: PartCounters<K>): void {
    const before = last.get(id)
    for (const [key, value] of entriesOf(counters)) {
      const previous = before?.[key]
      // What a latecomer did before it was first seen belongs to no interval; at start it is the count since boot.
      const grown = previous === undefined ? (first ? value : 0) : growth(previous, value)
      totals[key] = (totals[key] ?? 0) + grown
    }
    last.delete(id)
    last.set(id, { ...before, ...counters })
  }

  return {
    add(parts) {
      for (const [id, counters] of parts) addPart(id, counters)
      first &&= parts.size === 0
      for (const id of last.keys()) if (last.size > Math.max(MAX_PARTS, parts.size)) last.delete(id)
      const present = new Set([...parts.values()].flatMap(counters => entriesOf(counters).map(([key]) => key)))
      return Object.fromEntries(Object.entries(totals).filter(([key]) => present.has(key as K))) as typeof totals
    },
  }
}

const WRAP = 2 ** 32

/**
 * How far a counter went between two readings. One that fell by more than 2^31 from below 2^32 is a 32-bit counter that
 * wrapped; any other that fell began anew at zero. A restart from over 2^31 is taken for a wrap, too much by at most
 * 2^31; two wraps within one interval cannot be seen.
 */
export function growth(previous: number, now: number): number {
  if (now >= previous) return now - previous
  return previous < WRAP && previous - now > WRAP / 2 ? now + WRAP - previous : now
}

const entriesOf = <K extends string>(counters: PartCounters<K>) =>
  (Object.entries(counters) as [K, number | undefined][]).filter(
    (entry): entry is [K, number] => entry[1] !== undefined,
  )
