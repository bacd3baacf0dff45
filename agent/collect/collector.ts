import type { MetricName } from '../../shared/metrics.ts'
import type { Series } from '../../shared/wire.ts'

/** What one family read. A value that could not be read is left out: unknown is absent, never zero. */
export interface Reading {
  readonly metrics?: Readonly<Partial<Record<MetricName, number>>>
  readonly series?: readonly Series[]
}

/** One family of metrics. `collect` may throw or hang: whoever calls it sets a deadline and carries on. */
export interface Collector {
  readonly family: string
  collect(): Promise<Reading>
}

/** Percent with three decimals, absent when there is no whole to take a share of. */
export function percentOf(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.round((part / whole) * 100_000) / 1_000 : undefined
}

/** Leaves out what is undefined or not a finite number. */
export function known(metrics: Partial<Record<MetricName, number | undefined>>): Partial<Record<MetricName, number>> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)))
}
