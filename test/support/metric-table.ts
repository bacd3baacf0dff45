import { METRICS, type Metric } from '../../shared/metrics.ts'

/** The metric catalogue as README has it, Markdown. */
export function metricTable(): string {
  const rows = Object.entries<Metric>(METRICS).map(([name, metric]) => {
    const labels = (metric.labels ?? []).map(label => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${metric.type} | ${metric.unit} | ${labels} | ${metric.origin} | ${metric.help} |`
  })
  return ['| metric | type | unit | labels | from | what |', '|---|---|---|---|---|---|', ...rows].join('\n')
}
