import type { Snapshot } from '../../shared/wire.ts'
import type { SeriesName } from '../sinks/sink.ts'

/** The series of a snapshot, in its order. */
export function seriesOf({ metrics, series }: Pick<Snapshot, 'metrics' | 'series'>): readonly SeriesName[] {
  const plain = Object.keys(metrics).map(name => ({ name, labels: {} }))
  return [...plain, ...(series ?? []).map(({ name, labels }) => ({ name, labels }))]
}

/**
 * What a host's series are after one more snapshot: `known` itself while nothing changed, the list of another host when
 * that is the same, so that a thousand hosts alike share one.
 */
export function seriesAfter(
  known: readonly SeriesName[] | undefined,
  snapshot: Pick<Snapshot, 'metrics' | 'series'>,
  others: Iterable<readonly SeriesName[]>,
): readonly SeriesName[] {
  if (known && isOf(known, snapshot)) return known
  for (const other of others) if (isOf(other, snapshot)) return other
  return seriesOf(snapshot)
}

function isOf(known: readonly SeriesName[], { metrics, series }: Pick<Snapshot, 'metrics' | 'series'>): boolean {
  let at = 0
  for (const name in metrics) if (known[at++]?.name !== name) return false
  for (const { name, labels } of series ?? []) {
    const one = known[at++]
    if (one?.name !== name || !sameLabels(one.labels, labels)) return false
  }
  return at === known.length
}

function sameLabels(one: SeriesName['labels'], other: SeriesName['labels']): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every(name => one[name] === other[name])
}
