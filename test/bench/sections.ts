import { measureRowsPerBatch, type RowsPerBatch } from '../support/rows-per-batch.ts'
import { measureBundleKb } from './bundle.ts'
import { monthlyCost, total } from './cost.ts'
import { measureDelivery } from './delivery.ts'
import { measureEncoders } from './encoders.ts'
import type { Figures } from './figures.ts'
import type { Fixture } from './fixture.ts'
import { measureIngest } from './ingest.ts'
import { fsyncMs, rssMb } from './process-stats.ts'
import type { LoadedTenant } from './relay-under-load.ts'
import { measureSteady, type Steady } from './steady.ts'
import { measureVmagent } from './vmagent.ts'
import { measureWire, type WireBytes } from './wire.ts'

export interface Growth {
  readonly ingest_rps: number
  readonly ingest_p99_ms: number
  readonly delivery_batches_per_s: number
  readonly relay_rss_mb: number
}

/** What was measured so far; a section adds to it. */
export interface Measurements {
  figures: Partial<{ -readonly [key in keyof Figures]: Figures[key] }>
  growth: Record<string, Growth>
  details: Record<string, unknown>
  /** Of 1,000 hosts, for the cost. */
  rows?: RowsPerBatch
  steady?: Steady
}

const INGEST = { clients: 16, seconds: 8 }
const GROWTH_INGEST = { clients: 10, seconds: 4 }
const BACKLOG_BATCHES = 4_000
const ROUNDS = 4
const SIMULATED_MINUTES = 5
const COSTED_HOSTS = 10_000

/** In the order in which they run, on one relay: its many tenants come last, so that they cost the others nothing. */
export const SECTIONS = {
  async bundle(_: Fixture, { figures }: Measurements) {
    figures.bundle_gzip_kb = await measureBundleKb()
  },

  async encoders(_: Fixture, { figures }: Measurements) {
    const speedups = await measureEncoders()
    figures.encode_speedup_vs_prometheus_remote_write = speedups.remoteWrite
    figures.encode_speedup_vs_influxdb_client = speedups.influxdb
  },

  async wire(fixture: Fixture, { figures, details }: Measurements) {
    const wire = await measureWire(fixture)
    const sum = ({ head, body, answer }: WireBytes) => head + body + answer
    figures.wire_bytes_per_snapshot = sum(wire.live)
    figures.wire_bytes_per_snapshot_in_batches = sum(wire.inBatches)
    details.wire_bytes_per_snapshot = wire
  },

  async ingest(fixture: Fixture, { figures, details }: Measurements) {
    figures.disk_fsync_ms = fsyncMs(fixture.relay.folder)
    const tenant = await addTenant(fixture, 'ООО Ромашка', 16)
    const ingest = await measureIngest(fixture, [tenant], INGEST)
    figures.ingest_rps = ingest.rps
    figures.ingest_p99_ms = ingest.p99Ms
    details.ingest_p50_ms = ingest.p50Ms
  },

  async delivery(fixture: Fixture, { figures }: Measurements) {
    const tenant = await addTenant(fixture, 'ООО Василёк', 100)
    figures.delivery_batches_per_s = await measureDelivery(fixture, [tenant], BACKLOG_BATCHES)
  },

  async steady(fixture: Fixture, measured: Measurements) {
    const { figures, details } = measured
    const tenant = await addTenant(fixture, 'ООО Подсолнух', 1_000)
    const four = await measureSteady(fixture, tenant, ROUNDS)
    figures.cpu_ms_per_batch = four.cpuMsPerBatch
    figures.relay_rss_mb = four.rssMb
    measured.steady = four
    details.steady_four_sinks = four
    for (const { id } of (await fixture.relay.admin.destinations(tenant.id)).destinations)
      await fixture.relay.admin.removeDestination(tenant.id, id)
    for (const destination of fixture.twoRemoteWrites) await fixture.relay.admin.addDestination(tenant.id, destination)
    const two = await measureSteady(fixture, tenant, ROUNDS)
    const vmagentMs = await measureVmagent(fixture, tenant.tokens.length, ROUNDS)
    figures.cpu_ratio_vs_vmagent = two.cpuMsPerBatch / vmagentMs
    details.steady_two_remote_writes = two
    details.vmagent_cpu_ms_per_request = vmagentMs
  },

  async growth(fixture: Fixture, { growth }: Measurements) {
    const measure = async (tenants: readonly LoadedTenant[]) => {
      const { rps, p99Ms } = await measureIngest(fixture, tenants, GROWTH_INGEST)
      const delivery = await measureDelivery(fixture, tenants, BACKLOG_BATCHES)
      const rss = await rssMb(fixture.relay.pid)
      return { ingest_rps: rps, ingest_p99_ms: p99Ms, delivery_batches_per_s: delivery, relay_rss_mb: rss }
    }
    const one = await addTenant(fixture, 'Рост 0', 10)
    growth['1_tenant_10_hosts'] = await measure([one])
    growth['1_tenant_1000_hosts'] = await measure([await addTenant(fixture, 'Рост 1000', 1_000)])
    const others: LoadedTenant[] = []
    for (let count = 1; count < 100; count += 1) others.push(await addTenant(fixture, `Рост ${count}`, 10))
    growth['100_tenants_10_hosts'] = await measure([one, ...others])
  },

  async rows(_: Fixture, measured: Measurements) {
    const few = await measureRowsPerBatch({ hosts: 10, minutes: SIMULATED_MINUTES })
    const many = await measureRowsPerBatch({ hosts: 1_000, minutes: SIMULATED_MINUTES })
    measured.figures.rows_per_batch_10_hosts = few.rowsPerBatch
    measured.figures.rows_per_batch_1000_hosts = many.rowsPerBatch
    measured.rows = many
    measured.details.rows_10_hosts = few
    measured.details.rows_1000_hosts = many
  },

  async cost(_: Fixture, { figures, details, rows, steady }: Measurements) {
    if (!rows || !steady) throw new Error('the cost is made from the sections rows and steady: --only steady,rows,cost')
    const cost = monthlyCost(COSTED_HOSTS, {
      rowsPerBatch: rows.rowsPerBatch,
      alarmsPerMinute: rows.rows.alarm / SIMULATED_MINUTES,
      cpuMsPerBatch: steady.cpuMsPerBatch,
      awakeSecondsPerMinute: steady.awakeMs / 1000,
      requestsPerMinute: Math.max(...Object.values(steady.requests)) / ROUNDS,
    })
    figures.cost_usd_month_10000_hosts = total(cost)
    details.cost_usd_month_10000_hosts = cost
  },
} as const satisfies Record<string, (fixture: Fixture, measured: Measurements) => Promise<void>>

export type Section = keyof typeof SECTIONS

async function addTenant(fixture: Fixture, name: string, hosts: number): Promise<LoadedTenant> {
  const tenant = await fixture.relay.addTenant(name, hosts)
  for (const destination of fixture.fourSinks) await fixture.relay.admin.addDestination(tenant.id, destination)
  return tenant
}
