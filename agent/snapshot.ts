import { LIMITS, type Snapshot } from '../shared/wire.ts'
import type { Sample } from './collect/sampler.ts'

/** 2020-01-01: a clock before it was never set, and no relay would take the snapshot. */
export const CLOCK_SET_MS = 1_577_836_800_000

/** One snapshot of what was read; absent when the machine's clock is not set. */
export function buildSnapshot(sample: Sample, atMs: number, monoMs: number): Snapshot | undefined {
  if (atMs < CLOCK_SET_MS) return undefined
  const metrics = { ...sample.metrics, onec_timestamp_unix: atMs / 1000 }
  const room = LIMITS.seriesPerSnapshot - Object.keys(metrics).length
  const series = sample.series.slice(0, room)
  return { atMs, monoMs: Math.round(monoMs), metrics, ...(series.length > 0 && { series: [...series] }) }
}
