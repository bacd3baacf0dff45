/** What the bench finds, by the keys of its JSON. */
export interface Figures {
  readonly ingest_rps: number
  readonly ingest_p99_ms: number
  readonly cpu_ms_per_batch: number
  readonly rows_per_batch_1000_hosts: number
  readonly rows_per_batch_10_hosts: number
  readonly delivery_batches_per_s: number
  readonly relay_rss_mb: number
  readonly bundle_gzip_kb: number
  readonly wire_bytes_per_snapshot: number
  readonly wire_bytes_per_snapshot_in_batches: number
  readonly encode_speedup_vs_prometheus_remote_write: number
  readonly encode_speedup_vs_influxdb_client: number
  readonly cpu_ratio_vs_vmagent: number
  readonly cost_usd_month_10000_hosts: number
  readonly disk_fsync_ms: number
}

export interface Budget {
  readonly words: string
  holds(value: number): boolean
}

export const atMost = (most: number, more = ''): Budget => ({
  words: `≤ ${most}${more}`,
  holds: value => value <= most,
})
const atLeast = (least: number, more = ''): Budget => ({ words: `≥ ${least}${more}`, holds: value => value >= least })

/** Of the design, "Budgets"; a figure that it does not bound has none. */
export const BUDGETS: Partial<Record<keyof Figures, Budget>> = {
  ingest_rps: atLeast(1_500, ', goal 3000'),
  ingest_p99_ms: { words: '< 60', holds: value => value < 60 },
  cpu_ms_per_batch: atMost(0.5),
  rows_per_batch_1000_hosts: atMost(1.2, ', goal 0.1'),
  rows_per_batch_10_hosts: atMost(1.5, ', goal 0.7'),
  bundle_gzip_kb: atMost(150, ', goal 100'),
  wire_bytes_per_snapshot: atMost(900),
  wire_bytes_per_snapshot_in_batches: { words: 'goal 400', holds: value => value <= 400 },
  cpu_ratio_vs_vmagent: atMost(5),
}

/** A line a figure: its name, its value, its budget and whether that holds. */
export function tableOf(
  figures: Readonly<Record<string, number>>,
  budgets: Readonly<Record<string, Budget>> = BUDGETS,
): string {
  const rows = Object.entries(figures).map(([key, value]) => {
    const budget = budgets[key]
    return [key, rounded(value), budget?.words ?? '', budget ? (budget.holds(value) ? 'holds' : 'MISSED') : ''] as const
  })
  const width = (column: 0 | 1 | 2) => Math.max(...rows.map(row => row[column].length))
  const widths = [width(0), width(1), width(2)] as const
  return rows
    .map(([key, value, budget, verdict]) =>
      `${key.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${budget.padEnd(widths[2])}  ${verdict}`.trimEnd(),
    )
    .join('\n')
}

/** Three digits that count. */
export function rounded(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}
