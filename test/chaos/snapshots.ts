import { METRICS } from '../../shared/metrics.ts'
import type { Entry, Series, Snapshot } from '../../shared/wire.ts'

/** Samples of each made snapshot: what the guide's agent sends of a machine with two volumes. */
export const SAMPLES = 45

const VOLUMES = ['C:', 'D:']
const VOLUME_METRICS = ['onec_volume_total_bytes', 'onec_volume_free_bytes'] as const
const PLAIN = Object.entries(METRICS)
  .filter(([name, { origin, labels }]) => origin === 'agent' && labels === undefined && name !== 'onec_timestamp_unix')
  .map(([name]) => name)
  .slice(0, SAMPLES - 1 - VOLUMES.length * VOLUME_METRICS.length)

/** The series of a host in the order of their numbers, each with what sets it apart beside the host. */
export const SERIES: readonly { readonly name: string; readonly volume?: string }[] = [
  { name: 'onec_timestamp_unix' },
  ...PLAIN.map(name => ({ name })),
  ...VOLUMES.flatMap(volume => VOLUME_METRICS.map(name => ({ name, volume }))),
]

const NUMBERS = new Map(SERIES.map(({ name, volume }, number) => [seriesId(name, volume), number]))

export function seriesId(name: string, volume?: string): string {
  return volume === undefined ? name : `${name} ${volume}`
}

/** Number of a series among {@link SERIES}; absent for what the relay says itself. */
export const seriesNumber = (name: string, volume?: string): number | undefined => NUMBERS.get(seriesId(name, volume))

/** What a series has at a time: whoever finds another value there found a mix-up. The hosts' numbers differ by a step. */
export function valueAt(host: number, series: number, atMs: number): number {
  return series === 0 ? atMs / 1000 : host * 1_000_000 + series * 10_000 + (atMs % 9_973)
}

export function makeSnapshot(host: number, atMs: number, monoMs: number): Snapshot {
  const metrics: Record<string, number> = {}
  const series: Series[] = []
  SERIES.forEach(({ name, volume }, number) => {
    const value = valueAt(host, number, atMs)
    if (volume === undefined) metrics[name] = value
    else series.push({ name, labels: { volume }, value })
  })
  return { atMs, monoMs: Math.round(monoMs), metrics, series }
}

/** One line with each snapshot, so that Loki has as much to hold as the others. */
export function makeEntry(atMs: number): Entry {
  return { atMs, level: 'info', message: `Снимок ${atMs}` }
}
