import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Snapshot } from '../../shared/wire.ts'
import { type Running, run } from '../support/process.ts'
import { type RealServer, readMetricsPage, startNodeExporter } from '../support/real-servers.ts'
import { ROOT } from '../support/stack.ts'

/** The agent's readings and prometheus-node-exporter's, of the same host in the same seconds. */

type Page = (name: string, labels?: Readonly<Record<string, RegExp>>) => number

interface Agreement {
  readonly metric: string
  readonly exporter: (page: Page) => number
  /** Most that the two may differ: part of the value, or an amount. Whichever is more. */
  readonly within: { readonly part?: number; readonly amount?: number }
}

const MB = 1024 * 1024
/** Whole disks and real interfaces: the exporter has one series for each, of every kind. */
const DISK = { device: /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/ }
const INTERFACE = { device: /^(?!lo$|veth|docker|br-|virbr)/ }
const ROOT_VOLUME = { mountpoint: /^\/$/ }

const gauge = (metric: string, exporter: (page: Page) => number, within: Agreement['within']): Agreement => ({
  metric,
  exporter,
  within,
})
const disk = (metric: string, name: string, factor = 1) =>
  gauge(metric, page => page(name, DISK) * factor, { part: 0.02, amount: factor === 1 ? 8 * MB : 2_000 })
const network = (metric: string, name: string) =>
  gauge(metric, page => page(name, INTERFACE), { part: 0.02, amount: 100_000 })

const AGREEMENTS: readonly Agreement[] = [
  gauge('onec_memory_total', page => page('node_memory_MemTotal_bytes'), {}),
  gauge('onec_memory_available', page => page('node_memory_MemAvailable_bytes'), { amount: 256 * MB }),
  gauge('onec_memory_free', page => page('node_memory_MemFree_bytes'), { amount: 256 * MB }),
  gauge('onec_memory_used', page => page('node_memory_MemTotal_bytes') - page('node_memory_MemAvailable_bytes'), {
    amount: 256 * MB,
  }),
  gauge('onec_memory_swap_total', page => page('node_memory_SwapTotal_bytes'), {}),
  gauge('onec_memory_swap_free', page => page('node_memory_SwapFree_bytes'), { amount: 64 * MB }),
  gauge('onec_disk_backup_disk_total', page => page('node_filesystem_size_bytes', ROOT_VOLUME), {}),
  gauge('onec_disk_backup_disk_free', page => page('node_filesystem_avail_bytes', ROOT_VOLUME), { amount: 256 * MB }),
  disk('onec_disk_io_read_count', 'node_disk_reads_completed_total'),
  disk('onec_disk_io_write_count', 'node_disk_writes_completed_total'),
  disk('onec_disk_io_read_bytes', 'node_disk_read_bytes_total'),
  disk('onec_disk_io_write_bytes', 'node_disk_written_bytes_total'),
  disk('onec_disk_io_read_time', 'node_disk_read_time_seconds_total', 1000),
  disk('onec_disk_io_write_time', 'node_disk_write_time_seconds_total', 1000),
  network('onec_network_bytes_recv', 'node_network_receive_bytes_total'),
  network('onec_network_bytes_sent', 'node_network_transmit_bytes_total'),
  network('onec_network_packets_recv', 'node_network_receive_packets_total'),
  network('onec_network_packets_sent', 'node_network_transmit_packets_total'),
  network('onec_network_errin', 'node_network_receive_errs_total'),
  network('onec_network_errout', 'node_network_transmit_errs_total'),
  network('onec_network_dropin', 'node_network_receive_drop_total'),
  network('onec_network_dropout', 'node_network_transmit_drop_total'),
  gauge('onec_uptime_seconds', page => page('node_time_seconds') - page('node_boot_time_seconds'), { amount: 5 }),
  gauge('onec_timestamp_unix', page => page('node_time_seconds'), { amount: 5 }),
]

let exporter: RealServer
let folder: string

beforeAll(async () => {
  exporter = await startNodeExporter()
  folder = await mkdtemp(join(tmpdir(), 'onec-agreement-'))
})

afterAll(async () => {
  await exporter?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function snapshot(): Promise<Snapshot> {
  const once: Running = run(process.execPath, [join(ROOT, 'dist/onec-agent.js'), 'once', '--json', '--state', folder])
  expect(await once.ended, once.output()).toBe(0)
  return JSON.parse(once.output())
}

async function page(): Promise<Page> {
  const text = await readMetricsPage(exporter.url)
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key ?? '', text ?? '']),
    ),
    value: Number(value),
  }))
  return (name, labels = {}) => {
    const found = samples.filter(
      one => one.name === name && Object.entries(labels).every(([key, form]) => form.test(one.labels[key] ?? '')),
    )
    if (found.length === 0) throw new Error(`the node exporter has no ${name}`)
    return found.reduce((sum, { value }) => sum + value, 0)
  }
}

test('readings agree, each within its tolerance', async () => {
  const [ours, theirs] = [await snapshot(), await page()]
  const compared = AGREEMENTS.map(({ metric, exporter: expected, within }) => {
    const value = ours.metrics[metric]
    const other = expected(theirs)
    const most = Math.max((within.part ?? 0) * Math.abs(other), within.amount ?? 0)
    return { metric, value, other, agrees: value !== undefined && Math.abs(value - other) <= most }
  })
  expect(compared.filter(({ agrees }) => !agrees)).toEqual([])
})

test('the load of a busy processor agrees', async () => {
  const busy = run(process.execPath, ['-e', 'const end = Date.now() + 15000; while (Date.now() < end);'])
  try {
    const before = await page()
    const ours = await snapshot()
    const after = await page()
    const share = (mode: RegExp) => {
      const spent = (labels?: Readonly<Record<string, RegExp>>) =>
        after('node_cpu_seconds_total', labels) - before('node_cpu_seconds_total', labels)
      return (100 * spent({ mode })) / spent()
    }
    // The agent's reading is of a part of the exporter's time span: a loaded machine may differ in between.
    expect(ours.metrics['onec_cpu_idle_time']).toBeGreaterThan(share(/^(idle|iowait)$/) - 25)
    expect(ours.metrics['onec_cpu_idle_time']).toBeLessThan(share(/^(idle|iowait)$/) + 25)
    expect(ours.metrics['onec_cpu_percent']).toBeGreaterThan(30)
    const {
      onec_cpu_user_time: user = 0,
      onec_cpu_system_time: system = 0,
      onec_cpu_idle_time: idle = 0,
    } = ours.metrics
    expect(user + system + idle).toBeLessThanOrEqual(100.01)
  } finally {
    await busy.end('SIGKILL')
  }
}, 30_000)
