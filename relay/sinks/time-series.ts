import { remember } from '../codec/bounded-cache.ts'
import { encodeLabel, type Sample, STALE, type TimeSeries } from '../codec/remote-write.ts'
import { type Labels, mergeLabels, sortLabels } from './labels.ts'
import type { Batch } from './sink.ts'

/** Most encoded labels remembered, about 50 bytes each: those of some thousand hosts and all metric names. */
const MAX_REMEMBERED = 4_096

const NAME = '__name__'

/** In neither a label's name nor its value: control characters are refused where they come in. */
const SEPARATOR = '\0'

const encodedName = remember(MAX_REMEMBERED, name => encodeLabel(NAME, name))
const encodedLabel = remember(MAX_REMEMBERED, label => {
  const at = label.indexOf(SEPARATOR)
  return encodeLabel(label.slice(0, at), label.slice(at + 1))
})

/** The series with one label set: a host's own, or a volume's on it. */
interface Group {
  /** The labels but `__name__`, encoded: those that sort before it (a capital letter does), and those after. */
  readonly before: readonly Uint8Array[]
  readonly after: readonly Uint8Array[]
  readonly samplesByName: Map<string, Sample[]>
}

/**
 * The batches' samples grouped by series, each series in order of time with no time twice (the last one given wins):
 * Prometheus 2.42 answers 204 to unsorted ones and loses some. Labels are `__name__`, `instance`, `job`, `tenant`, the
 * series' own and the host's static ones. A value that is not finite is left out: unknown is absent. The series of a
 * removed host end with a stale marker.
 */
export function collectSeries(batches: readonly Batch[], defaultJob: string): TimeSeries[] {
  const groups = new Map<string, Group>()
  for (const batch of batches) {
    if (batch.snapshots.length === 0 && !batch.ended) continue
    const identity = { instance: batch.host.name, job: batch.job ?? defaultJob, tenant: batch.tenant.name }
    const plain = groupOf(groups, mergeLabels(batch, identity))
    for (const { atMs, metrics, series } of batch.snapshots) {
      for (const name of Object.keys(metrics)) add(plain, name, atMs, metrics[name])
      for (const { name, labels, value } of series ?? [])
        add(groupOf(groups, mergeLabels(batch, identity, labels)), name, atMs, value)
    }
    for (const { name, labels } of batch.ended?.series ?? [])
      push(groupOf(groups, mergeLabels(batch, identity, labels)), name, { atMs: batch.ended?.atMs ?? 0, value: STALE })
  }
  return [...groups.values()].flatMap(groupToSeries)
}

function groupOf(groups: Map<string, Group>, labels: Labels): Group {
  const sorted = sortLabels(labels)
  const pairs = sorted.map(([name, value]) => name + SEPARATOR + value)
  const key = pairs.join(SEPARATOR)
  const known = groups.get(key)
  if (known) return known
  const split = sorted.filter(([name]) => name < NAME).length
  const encoded = pairs.map(encodedLabel)
  const made = { before: encoded.slice(0, split), after: encoded.slice(split), samplesByName: new Map() }
  groups.set(key, made)
  return made
}

function add(group: Group, name: string, atMs: number, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value)) push(group, name, { atMs, value })
}

function push(group: Group, name: string, sample: Sample): void {
  const samples = group.samplesByName.get(name)
  if (samples) samples.push(sample)
  else group.samplesByName.set(name, [sample])
}

function groupToSeries({ before, after, samplesByName }: Group): TimeSeries[] {
  const series: TimeSeries[] = []
  for (const [name, samples] of samplesByName)
    series.push({ labels: [...before, encodedName(name), ...after], samples: ascending(samples) })
  return series
}

/** Sorted by time; of samples with one time the last one given stays. Nearly always there is nothing to do. */
function ascending(samples: readonly Sample[]): readonly Sample[] {
  if (samples.every(({ atMs }, at) => at === 0 || (samples[at - 1]?.atMs ?? 0) < atMs)) return samples
  return [...new Map(samples.toSorted((a, b) => a.atMs - b.atMs).map(sample => [sample.atMs, sample])).values()]
}
