import type { Entry } from '../../shared/wire.ts'
import { type Batch, MAX_SAMPLES_PER_REQUEST, type SinkDefinition } from '../sinks/sink.ts'

/** Text that weighs as much as a sample, so that a request of long lines is at most about 1 MB too. */
const CHARS_PER_SAMPLE = 512

/** How much of a request's bound a batch takes: its samples, or its entries where those weigh more. */
export function weightOf(batch: Batch): number {
  const samples = samplesIn([batch])
  const entries = batch.entries.reduce((sum, entry) => sum + Math.ceil(charsIn(entry) / CHARS_PER_SAMPLE), 0)
  return Math.max(samples, entries, 1)
}

/** Samples of all snapshots, and the ends of series. */
export function samplesIn(batches: readonly Pick<Batch, 'snapshots' | 'ended'>[]): number {
  return batches.reduce((sum, { snapshots, ended }) => sum + samplesOf(snapshots) + (ended?.series.length ?? 0), 0)
}

function samplesOf(snapshots: Batch['snapshots']): number {
  return snapshots.reduce((sum, { metrics, series }) => sum + Object.keys(metrics).length + (series?.length ?? 0), 0)
}

/** What batches carry to a sink: samples, or log entries. */
export function carriedBy(batches: readonly Batch[], sink: Pick<SinkDefinition, 'carries'>): number {
  return sink.carries === 'metrics' ? samplesIn(batches) : batches.reduce((sum, { entries }) => sum + entries.length, 0)
}

function charsIn({ message, fields }: Entry): number {
  return Object.values(fields ?? {}).reduce((sum, text) => sum + text.length, message.length)
}

/**
 * Batches cut into what one request may carry, in their order. A batch that is over the bound by itself is cut by time.
 * The cut depends on the batches alone, so that after a lost reply the same parts are sent again.
 */
export function partsOf(batches: readonly Batch[], most = MAX_SAMPLES_PER_REQUEST): Batch[][] {
  const parts: Batch[][] = []
  let part: Batch[] = []
  let weight = 0
  for (const batch of batches.flatMap(whole => cutByWeight(whole, most))) {
    const more = weightOf(batch)
    if (part.length > 0 && weight + more > most) {
      parts.push(part)
      part = []
      weight = 0
    }
    part.push(batch)
    weight += more
  }
  if (part.length > 0) parts.push(part)
  return parts
}

function cutByWeight(batch: Batch, most: number): Batch[] {
  if (weightOf(batch) <= most) return [batch]
  const halves = halveByTime([batch])
  return halves ? halves.flatMap(([half]) => (half ? cutByWeight(half, most) : [])) : [batch]
}

/** One part per host, for sinks that take a request a host. */
export function partsByHost(batches: readonly Batch[]): Batch[][] {
  return [...Map.groupBy(batches, batch => batch.host.id).values()]
}

/**
 * Two smaller parts of a refused one, to find what is at fault: by host while there are several, then by time. The
 * older half comes first, so that a store that takes samples only in order can take both. Absent: nothing to cut.
 */
export function bisect(batches: readonly Batch[]): readonly [Batch[], Batch[]] | undefined {
  const hosts = partsByHost(batches)
  if (hosts.length > 1) {
    const middle = Math.ceil(hosts.length / 2)
    return [hosts.slice(0, middle).flat(), hosts.slice(middle).flat()]
  }
  if (batches.length > 1) {
    const middle = Math.ceil(batches.length / 2)
    return [batches.slice(0, middle), batches.slice(middle)]
  }
  return halveByTime(batches)
}

function halveByTime([batch]: readonly Batch[]): readonly [Batch[], Batch[]] | undefined {
  if (!batch || (batch.snapshots.length < 2 && batch.entries.length < 2)) return undefined
  const snapshots = Math.ceil(batch.snapshots.length / 2)
  const entries = Math.ceil(batch.entries.length / 2)
  return [
    [{ ...batch, snapshots: batch.snapshots.slice(0, snapshots), entries: batch.entries.slice(0, entries) }],
    [{ ...batch, snapshots: batch.snapshots.slice(snapshots), entries: batch.entries.slice(entries) }],
  ]
}
