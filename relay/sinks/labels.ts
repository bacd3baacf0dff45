import type { Batch } from './sink.ts'

export type Labels = Readonly<Record<string, string>>

/** Of labels with one name the identity wins, then the series' own, then the host's static one. */
export function mergeLabels(batch: Batch, identity: Labels, own?: Labels): Labels {
  return { ...batch.host.labels, ...own, ...identity }
}

/** The labels that have a value, in ascending order of their names: an empty value means "no such label". */
export function sortLabels(labels: Labels): [name: string, value: string][] {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
