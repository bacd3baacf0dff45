import { METRICS, SEED_HOST_METRICS } from '../../shared/metrics.ts'
import type { Snapshot, WireBatch } from '../../shared/wire.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** Samples of one snapshot: the seed guide's 41 of the host, and four of its volumes. */
export const SAMPLES_PER_SNAPSHOT = 45

export interface Snapshots {
  /** The next snapshot of a host: counters grow, the rest moves about, as on a server at work. */
  next(host: number, atMs: number): Snapshot
}

/** Snapshots as an agent reads them, the same ones for the same seed. */
export function snapshotsOf(seed: number): Snapshots {
  const random = seededRandom(seed)
  const counters = new Map<string, number>()
  const grow = (key: string, start: number, step: number) => {
    const value = (counters.get(key) ?? Math.floor(random() * start)) + Math.floor(random() * step)
    counters.set(key, value)
    return value
  }
  const read = (host: number, name: (typeof SEED_HOST_METRICS)[number], atMs: number) => {
    const { type, unit } = METRICS[name]
    if (name === 'onec_timestamp_unix') return atMs / 1000
    if (name === 'onec_uptime_seconds') return grow(`${host} up`, 1e6, 60)
    if (/err|drop/.test(name)) return 0
    if (unit === 'bytes') return grow(`${host} ${name}`, 2e11, type === 'counter' ? 4e6 : 4e5)
    if (type === 'counter') return grow(`${host} ${name}`, 1e8, 2e3)
    if (unit === 'percent') return Math.round(random() * 1e5) / 1e3
    if (unit === 'cores') return name.endsWith('logical') ? 16 : 8
    if (unit === 'MHz') return Math.round((2_000 + random() * 1_800) * 10) / 10
    return Math.floor(random() * 200)
  }
  const volume = (host: number, name: string, letter: string) => ({
    name: `onec_volume_${name}_bytes`,
    labels: { volume: `${letter}:` },
    value: grow(`${host} ${name} ${letter}`, 2e12, name === 'total' ? 1 : 4e6),
  })
  return {
    next: (host, atMs) => ({
      atMs,
      monoMs: grow(`${host} mono`, 1e9, 60_000),
      metrics: Object.fromEntries(SEED_HOST_METRICS.map(name => [name, read(host, name, atMs)])),
      series: [
        volume(host, 'total', 'C'),
        volume(host, 'used', 'C'),
        volume(host, 'free', 'C'),
        volume(host, 'free', 'D'),
      ],
    }),
  }
}

export const agentOf = (host: number, intervalMs: number): WireBatch['agent'] => ({
  version: '1.0.0',
  os: 'Windows Server 2022 Standard 10.0.20348',
  hostname: `SRV-1C-${host}`,
  intervalMs,
  bootId: '3f0a6a52-0d0c-4f2e-9f0b-5a0f3c1d2e4f',
})
