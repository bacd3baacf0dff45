import type { Metric } from '../../shared/metrics.ts'

/** One series of Prometheus' text format 0.0.4; no timestamp: a Pushgateway refuses them. */
export interface ExpositionSeries {
  readonly name: string
  /** As {@link encodeLabels} writes them. */
  readonly labels: string
  readonly value: number
}

/**
 * Prometheus' text format 0.0.4: families in the order of their first series, each after what `headerOf` gives for it
 * (see {@link encodeHeader}), every line ended by a line feed. A series given twice is written once, with its last
 * value: the format allows it once only. `samples` is how many were written.
 */
export function encodeExposition(
  series: readonly ExpositionSeries[],
  headerOf: (name: string) => string,
): { readonly text: string; readonly samples: number } {
  const families = new Map<string, ExpositionSeries[]>()
  for (const one of series) {
    const family = families.get(one.name)
    if (family) family.push(one)
    else families.set(one.name, [one])
  }
  let text = ''
  let samples = 0
  for (const [name, family] of families) {
    text += headerOf(name)
    for (const { labels, value } of onePerLabels(family)) {
      text += `${name}${labels} ${value}\n`
      samples++
    }
  }
  return { text, samples }
}

/** HELP and TYPE; nothing for a metric that the catalogue does not know: an untyped one. */
export function encodeHeader(name: string, metric: Metric | undefined): string {
  return metric ? `# HELP ${name} ${escapeHelp(metric.help)}\n# TYPE ${name} ${metric.type}\n` : ''
}

/** `{name="value",…}`, nothing when there are none. */
export function encodeLabels(labels: readonly (readonly [name: string, value: string])[]): string {
  if (labels.length === 0) return ''
  return `{${labels.map(([name, value]) => `${name}="${escapeLabelValue(value)}"`).join(',')}}`
}

function onePerLabels(family: readonly ExpositionSeries[]): Iterable<ExpositionSeries> {
  return family.length === 1 ? family : new Map(family.map(one => [one.labels, one])).values()
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabelValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
