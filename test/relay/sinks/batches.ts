import type { Batch } from '../../../relay/sinks/sink.ts'
import type { Entry, Series, Snapshot } from '../../../shared/wire.ts'

/** 2026-11-23T08:45:00Z. */
export const AT_MS = 1_795_423_500_000

export const TENANT = { id: 'romashka', name: 'ООО Ромашка' }

export const HOST = { id: 'h1', name: 'БУХ-1С', labels: { site: 'Москва, центр' } }

export function snapshot(atMs: number, metrics: Snapshot['metrics'], series?: Series[]): Snapshot {
  return { atMs, monoMs: 1, metrics, ...(series && { series }) }
}

export function volume(label: string, value: number): Series {
  return { name: 'onec_volume_free_bytes', labels: { volume: label }, value }
}

export function entry(atMs: number, level: Entry['level'], message: string, fields?: Record<string, string>): Entry {
  return { atMs, level, message, ...(fields && { fields }) }
}

/** What a host sent; `over` replaces any part. */
export function agentBatch(over: Partial<Batch> = {}): Batch {
  return { tenant: TENANT, host: HOST, source: 'agent', snapshots: [], entries: [], ...over }
}

/** What the relay says of that host. */
export function relayBatch(over: Partial<Batch> = {}): Batch {
  return agentBatch({ source: 'relay', ...over })
}

/** Two snapshots and two log entries of a host, and the relay's word on it. */
export const ROMASHKA: readonly Batch[] = [
  agentBatch({
    snapshots: [
      snapshot(AT_MS, { onec_cpu_percent: 45.2, onec_disk_io_read_bytes: 9_007_199_254_740_991 }, [
        volume('C:', 1.5e11),
        volume('D:', 0),
      ]),
      snapshot(AT_MS + 60_000, { onec_cpu_percent: 0, onec_disk_io_read_bytes: 12, onec_from_a_newer_agent: -1.5e-9 }),
    ],
    entries: [
      entry(AT_MS + 30_000, 'info', 'Backup completed', { backup: 'Зарплата 3.1', sizeBytes: '1024' }),
      entry(AT_MS + 10_000, 'error', 'Disk "D:\\" is full\nsecond line'),
    ],
  }),
  relayBatch({
    snapshots: [
      snapshot(AT_MS + 61_000, { onec_host_up: 1 }, [
        { name: 'onec_backup_status', labels: { backup: 'Зарплата 3.1' }, value: 1 },
      ]),
    ],
    entries: [entry(AT_MS + 61_000, 'warn', 'Host is late')],
  }),
]

/** Values that some text format or other gets wrong. */
export const NASTY_VALUES = [
  'Зарплата 3.1',
  'C:\\Program Files\\1C',
  '\\\\srv\\share',
  'say "hello"',
  'a=b,c d',
  '🚀 наклейка',
  '#1',
  "o'clock {x}",
]

/** A value for each of `values` as a label, distinct so that none can be mistaken for another. */
export function batchWithVolumes(values: readonly string[]): Batch {
  return agentBatch({
    snapshots: [
      snapshot(
        AT_MS,
        {},
        values.map((label, index) => volume(label, index + 1)),
      ),
    ],
    entries: values.map((value, index) => entry(AT_MS + index, 'info', value, { volume: value })),
  })
}

/** The value and everything in it frozen: an encoder that changes its input throws. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
