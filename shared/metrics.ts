/**
 * Every metric that anything here emits. Sinks take types and help from it, documentation and dashboards are checked
 * against it. Names and meaning of the first 45 are the seed guide's; its "counter" or "gauge" is settled here: what
 * only grows until a reboot is a counter, a percentage of time is a gauge.
 *
 * Help texts stay constant for a metric's life: Mimir keeps at most 10 distinct ones per metric.
 */
export type MetricType = 'counter' | 'gauge'

export interface Metric {
  readonly type: MetricType
  /** In words, for people; never sent as UNIT. */
  readonly unit: string
  readonly help: string
  /** Who may emit it: an agent in a snapshot, or the relay, which derives it. */
  readonly origin: 'agent' | 'relay'
  /** Labels beyond the identity, if any. */
  readonly labels?: readonly string[]
}

const gauge = (unit: string, help: string): Metric => ({ type: 'gauge', unit, help, origin: 'agent' })
const counter = (unit: string, help: string): Metric => ({ type: 'counter', unit, help, origin: 'agent' })
const derived = (type: MetricType, unit: string, help: string, ...labels: string[]): Metric => ({
  type,
  unit,
  help,
  origin: 'relay',
  ...(labels.length > 0 && { labels }),
})

export const METRICS = {
  onec_cpu_percent: gauge('percent', 'CPU load of the whole machine since the last snapshot, in percent.'),
  onec_cpu_count_logical: gauge('cores', 'Logical processors.'),
  onec_cpu_count_physical: gauge('cores', 'Physical processor cores.'),
  onec_cpu_freq_current: gauge('MHz', 'Current processor frequency, mean of the cores, in MHz.'),
  onec_cpu_freq_max: gauge('MHz', 'Maximum processor frequency in MHz.'),
  onec_cpu_user_time: gauge('percent', 'Share of CPU time in user mode since the last snapshot, in percent.'),
  onec_cpu_system_time: gauge('percent', 'Share of CPU time in system mode since the last snapshot, in percent.'),
  onec_cpu_idle_time: gauge('percent', 'Share of idle CPU time since the last snapshot, in percent.'),

  onec_memory_percent: gauge('percent', 'Memory in use, in percent.'),
  onec_memory_total: gauge('bytes', 'Physical memory in bytes.'),
  onec_memory_available: gauge('bytes', 'Memory available to programs without swapping, in bytes.'),
  onec_memory_used: gauge('bytes', 'Memory that is not available, in bytes.'),
  onec_memory_free: gauge('bytes', 'Memory that nothing uses, caches left out, in bytes.'),
  onec_memory_swap_percent: gauge('percent', 'Swap in use, in percent.'),
  onec_memory_swap_total: gauge('bytes', 'Swap space in bytes.'),
  onec_memory_swap_used: gauge('bytes', 'Swap in use, in bytes.'),
  onec_memory_swap_free: gauge('bytes', 'Free swap in bytes.'),

  onec_disk_percent: gauge('percent', 'Use of the volume that holds the backups, in percent.'),
  onec_disk_backup_disk_total: gauge('bytes', 'Size of the volume that holds the backups, in bytes.'),
  onec_disk_backup_disk_used: gauge('bytes', 'Used space on the volume that holds the backups, in bytes.'),
  onec_disk_backup_disk_free: gauge('bytes', 'Free space on the volume that holds the backups, in bytes.'),

  onec_disk_io_read_count: counter('operations', 'Reads completed by all disks since boot.'),
  onec_disk_io_write_count: counter('operations', 'Writes completed by all disks since boot.'),
  onec_disk_io_read_bytes: counter('bytes', 'Bytes read from all disks since boot.'),
  onec_disk_io_write_bytes: counter('bytes', 'Bytes written to all disks since boot.'),
  onec_disk_io_read_time: counter('ms', 'Time that reads took on all disks since boot, in ms.'),
  onec_disk_io_write_time: counter('ms', 'Time that writes took on all disks since boot, in ms.'),

  onec_network_bytes_sent: counter('bytes', 'Bytes sent by all network interfaces, loopback left out.'),
  onec_network_bytes_recv: counter('bytes', 'Bytes received by all network interfaces, loopback left out.'),
  onec_network_packets_sent: counter('packets', 'Packets sent by all network interfaces, loopback left out.'),
  onec_network_packets_recv: counter('packets', 'Packets received by all network interfaces, loopback left out.'),
  onec_network_errin: counter('packets', 'Errors while receiving, all network interfaces, loopback left out.'),
  onec_network_errout: counter('packets', 'Errors while sending, all network interfaces, loopback left out.'),
  onec_network_dropin: counter('packets', 'Received packets dropped, all network interfaces, loopback left out.'),
  onec_network_dropout: counter('packets', 'Sent packets dropped, all network interfaces, loopback left out.'),
  onec_network_active_connections: gauge(
    'connections',
    'TCP connections in state ESTABLISHED or CLOSE-WAIT, IPv4 and IPv6.',
  ),

  onec_processes_total_count: gauge('processes', 'Processes.'),
  onec_logged_users_count: gauge('sessions', 'Sessions of logged-in users, disconnected ones included.'),
  onec_rdp_active_count: gauge('sessions', 'Active remote-desktop sessions.'),
  onec_uptime_seconds: gauge('seconds', 'Time since boot in seconds.'),
  onec_timestamp_unix: gauge('seconds', 'Unix time at which the snapshot was taken, in seconds.'),

  onec_backup_status: derived('gauge', '1 or 0', 'Result of the last completed backup: 1 good, 0 failed.', 'backup'),
  onec_backup_timestamp: derived(
    'gauge',
    'seconds',
    'Unix time at which the last good backup was completed.',
    'backup',
  ),
  onec_backup_size_bytes: derived('gauge', 'bytes', 'Size of the last good backup in bytes.', 'backup'),
  onec_backup_duration_seconds: derived(
    'gauge',
    'seconds',
    'Duration of the last completed backup in seconds.',
    'backup',
  ),

  onec_backup_due_timestamp_seconds: derived(
    'gauge',
    'seconds',
    'Unix time by which the next good backup is due.',
    'backup',
  ),
  onec_backup_runs_total: derived('counter', 'runs', 'Completed backup runs by result.', 'backup', 'result'),

  onec_volume_total_bytes: { ...gauge('bytes', 'Size of a volume in bytes.'), labels: ['volume'] },
  onec_volume_used_bytes: { ...gauge('bytes', 'Used space on a volume in bytes.'), labels: ['volume'] },
  onec_volume_free_bytes: { ...gauge('bytes', 'Free space on a volume in bytes.'), labels: ['volume'] },

  onec_log_entries_total: counter(
    'entries',
    'Entries of followed log files that were spooled since the agent started.',
  ),
  onec_log_entries_left_out_total: counter(
    'entries',
    'Entries of followed log files left out because a file was over its rate.',
  ),
  onec_log_entries_dropped_total: counter(
    'entries',
    'Log entries, those of backups included, that the host dropped from its spool.',
  ),
  onec_log_bytes_passed_over_total: counter(
    'bytes',
    'Bytes of followed log files passed over because a file grew faster than it is read.',
  ),
  onec_log_files_with_problems: gauge('files', 'Followed log files and paths that cannot be read, or are not there.'),

  onec_host_up: derived('gauge', '1 or 0', 'Whether the host posts on time: 1 up or late, 0 down.'),
  onec_host_last_seen_timestamp_seconds: derived(
    'gauge',
    'seconds',
    'Unix time of the last accepted post of the host.',
  ),
  onec_host_clock_skew_seconds: derived('gauge', 'seconds', 'Clock of the host minus clock of the relay, in seconds.'),
  onec_host_clock_offset_seconds: derived(
    'gauge',
    'seconds',
    'What the times of a host with a wrong clock are corrected by, in seconds; 0 when they are not.',
  ),
  onec_host_spool_pending_batches: derived('gauge', 'batches', 'Batches waiting in the spool of the host.'),
  onec_host_dropped_snapshots_total: derived('counter', 'snapshots', 'Snapshots that the host dropped from its spool.'),

  onec_delivery_lag_seconds: derived('gauge', 'seconds', 'Age of the oldest data not yet delivered.', 'destination'),
  onec_delivery_backlog_batches: derived('gauge', 'batches', 'Batches not yet delivered.', 'destination'),
  onec_delivery_dropped_samples_total: derived(
    'counter',
    'samples',
    'Samples that the destination will not get: over its budget, too old for it, or out of order.',
    'destination',
    'reason',
  ),
  onec_host_left_out_samples_total: derived(
    'counter',
    'samples',
    'Samples of the host that the destination did not get for their age or order.',
    'destination',
    'reason',
  ),
  onec_delivery_unconfirmed_total: derived(
    'counter',
    'batches',
    'Batches that a destination refused as held already after a lost reply.',
    'destination',
  ),
  onec_delivery_partial_total: derived(
    'counter',
    'requests',
    'Requests of which the destination took only a part.',
    'destination',
  ),
  onec_dead_letters_total: derived('counter', 'dead letters', 'Dead letters written.', 'destination'),
  onec_dead_letters_dropped_total: derived(
    'counter',
    'dead letters',
    'Dead letters dropped, oldest first, because there were too many.',
    'destination',
  ),

  onec_ingest_batches_total: derived('counter', 'batches', 'Batches stored.'),
  onec_ingest_refused_batches_total: derived(
    'counter',
    'batches',
    'Batches refused because a bound was reached: bytes in memory, or bytes of the whole outbox.',
    'reason',
  ),
  onec_storage_rows_written_total: derived('counter', 'rows', 'Billed rows written, alarms included.'),
  onec_events_dropped_total: derived('counter', 'events', 'Events dropped, oldest first, because there were too many.'),
  onec_backups_dropped_total: derived(
    'counter',
    'backups',
    'Backups forgotten, those heard of longest ago, because a host reported too many.',
  ),

  onec_tenant_hosts: derived('gauge', 'hosts', 'Hosts of the tenant by state; GET /metrics alone.', 'state'),
  onec_tenant_scrape_success: derived(
    'gauge',
    '1 or 0',
    'Whether the object of the tenant answered this scrape in time; GET /metrics alone.',
  ),
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

/** The catalogue's entry, absent for a name that a newer or older release knows. */
export function metricOf(name: string): Metric | undefined {
  return Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined
}

/** The seed guide's 41 host metrics and 4 backup metrics, in its order. */
export const SEED_METRICS = (Object.keys(METRICS) as MetricName[]).slice(0, 45)
export const SEED_HOST_METRICS = SEED_METRICS.filter(name => METRICS[name].origin === 'agent')
