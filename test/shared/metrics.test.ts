import { expect, test } from 'vitest'
import { METRICS, metricOf, SEED_HOST_METRICS, SEED_METRICS } from '../../shared/metrics.ts'

/** The seed guide's list, in its order. */
const SEED = [
  'onec_cpu_percent',
  'onec_cpu_count_logical',
  'onec_cpu_count_physical',
  'onec_cpu_freq_current',
  'onec_cpu_freq_max',
  'onec_cpu_user_time',
  'onec_cpu_system_time',
  'onec_cpu_idle_time',
  'onec_memory_percent',
  'onec_memory_total',
  'onec_memory_available',
  'onec_memory_used',
  'onec_memory_free',
  'onec_memory_swap_percent',
  'onec_memory_swap_total',
  'onec_memory_swap_used',
  'onec_memory_swap_free',
  'onec_disk_percent',
  'onec_disk_backup_disk_total',
  'onec_disk_backup_disk_used',
  'onec_disk_backup_disk_free',
  'onec_disk_io_read_count',
  'onec_disk_io_write_count',
  'onec_disk_io_read_bytes',
  'onec_disk_io_write_bytes',
  'onec_disk_io_read_time',
  'onec_disk_io_write_time',
  'onec_network_bytes_sent',
  'onec_network_bytes_recv',
  'onec_network_packets_sent',
  'onec_network_packets_recv',
  'onec_network_errin',
  'onec_network_errout',
  'onec_network_dropin',
  'onec_network_dropout',
  'onec_network_active_connections',
  'onec_processes_total_count',
  'onec_logged_users_count',
  'onec_rdp_active_count',
  'onec_uptime_seconds',
  'onec_timestamp_unix',
  'onec_backup_status',
  'onec_backup_timestamp',
  'onec_backup_size_bytes',
  'onec_backup_duration_seconds',
]

/** 6 of disk I/O, 8 of the network: what only grows until a reboot. */
const SEED_COUNTERS = [
  ...['read_count', 'write_count', 'read_bytes', 'write_bytes', 'read_time', 'write_time'].map(
    name => `onec_disk_io_${name}`,
  ),
  ...['bytes_sent', 'bytes_recv', 'packets_sent', 'packets_recv', 'errin', 'errout', 'dropin', 'dropout'].map(
    name => `onec_network_${name}`,
  ),
]

/** Those that the product adds. */
const MORE = [
  'onec_backup_due_timestamp_seconds',
  'onec_backup_runs_total',
  'onec_host_up',
  'onec_host_last_seen_timestamp_seconds',
  'onec_host_clock_skew_seconds',
  'onec_host_spool_pending_batches',
  'onec_host_dropped_snapshots_total',
  'onec_delivery_lag_seconds',
  'onec_delivery_backlog_batches',
  'onec_delivery_dropped_samples_total',
  'onec_delivery_unconfirmed_total',
  'onec_dead_letters_total',
  'onec_dead_letters_dropped_total',
]

test('the 45 names of the seed guide, in its order', () => {
  expect(SEED).toHaveLength(45)
  expect(SEED_METRICS).toEqual(SEED)
})

test('41 of them are a host’s, the four of backups are the relay’s', () => {
  expect(SEED_HOST_METRICS).toHaveLength(41)
  expect(SEED.filter(name => metricOf(name)?.origin === 'relay')).toEqual(SEED.slice(41))
})

test('exactly 14 of them are counters', () => {
  expect(SEED.filter(name => metricOf(name)?.type === 'counter').toSorted()).toEqual(SEED_COUNTERS.toSorted())
})

test.each(MORE)('%s is in the catalogue as the relay’s', name => {
  expect(metricOf(name)).toMatchObject({ origin: 'relay', type: name.endsWith('_total') ? 'counter' : 'gauge' })
})

test.each(Object.entries(METRICS))('%s has a help of one sentence and a unit in words', (name, { help, unit }) => {
  expect(name).toMatch(/^onec_[a-z0-9_]+$/)
  expect(help).toMatch(/^[A-Z0-9].*\.$/)
  expect(help).not.toMatch(/[\n\\"]/)
  expect(unit).not.toBe('')
})

test('a name that is not there has no entry, those of every object included', () => {
  for (const name of ['onec_unheard_of', 'constructor', '__proto__', '']) expect(metricOf(name)).toBeUndefined()
})
