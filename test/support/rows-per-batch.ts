import { gzipSync } from 'node:zlib'
import { type IngestHeader, RPC_VERSION } from '../../relay/tenant/rpc.ts'
import { SEED_HOST_METRICS } from '../../shared/metrics.ts'
import { idOf, NOW, snapshot, TENANT, wireBatch } from '../relay/tenant/fixtures.ts'
import { seededRandom } from './seeded-random.ts'
import { SimulatedObject } from './simulated-object.ts'
import { SimulatedTime } from './simulated-time.ts'

const MINUTE = 60_000

export interface Play {
  readonly hosts: number
  /** Simulated; counted after as long a warm-up of two intervals. Absent: 10. */
  readonly minutes?: number
  readonly intervalMs?: number
  /**
   * How much later than granted a post arrives: each host's own constant way to the relay (spread evenly up to
   * `awayMs`), and at each post up to `jitterMs` more. Absent: 200 and 20.
   */
  readonly awayMs?: number
  readonly jitterMs?: number
  /** From a write until it is on disk. Absent: 3. */
  readonly syncMs?: number
  readonly seed?: number
}

export const CAUSES = ['ingest', 'tick', 'checkpoint', 'event', 'alarm', 'other'] as const
export type Cause = (typeof CAUSES)[number]

export interface RowsPerBatch {
  readonly batches: number
  /** Billed rows by what wrote them. */
  readonly rows: Readonly<Record<Cause, number>>
  readonly rowsPerBatch: number
  /** Starts of the object in that time: it is evicted when idle for 10 s. */
  readonly starts: number
  /** From a post's arrival to its answer. */
  readonly answerMs: { readonly p50: number; readonly p99: number }
  /** Batches that the destination furthest behind has not got yet. */
  readonly undeliveredAtEnd: number
  /** Requests to destinations. */
  readonly requests: number
}

/** Of the four sinks; Loki is asked only when there are entries. */
const DESTINATIONS = [
  { name: 'Облако', sink: 'remote-write', url: 'http://127.0.0.1:9/api/v1/write', status: 204, afterMs: 80 },
  { name: 'Шлюз', sink: 'pushgateway', url: 'http://127.0.0.2:9/', status: 200, afterMs: 5 },
  { name: 'Influx', sink: 'influxdb', url: 'http://127.0.0.3:9/', status: 204, afterMs: 60 },
  { name: 'Логи', sink: 'loki', url: 'http://127.0.0.4:9/', status: 204, afterMs: 120 },
] as const

const OS = 'Windows Server 2022'
const SECRET_HASH = 'a'.repeat(64)
const SETTINGS = { influxdb: { org: 'myorg', bucket: 'onec_metrics', token: 'not-checked' } } as const

/**
 * Billed rows per accepted batch: `hosts` of one tenant post when `nextInMs` lets them, four destinations take it all,
 * and what the real tenant object writes meanwhile is counted by cause. The runtime is simulated (`SimulatedObject`),
 * so ten minutes take seconds. Rows are those that Node's SQLite says a statement changed, and one for each `setAlarm`;
 * for the statements of this object workerd's `rowsWritten` says the same (`test/relay/tenant/object.test.ts`).
 */
export async function measureRowsPerBatch(play: Play): Promise<RowsPerBatch> {
  const { hosts, minutes = 10, intervalMs = MINUTE, awayMs = 200, jitterMs = 20, syncMs = 3, seed = 1 } = play
  const random = seededRandom(seed)
  const time = new SimulatedTime(NOW)
  const rows = Object.fromEntries(CAUSES.map(cause => [cause, 0])) as Record<Cause, number>
  let counts = false
  let requests = 0
  const object = await SimulatedObject.start(time, {
    syncMs,
    answer: url => {
      if (counts) requests += 1
      return DESTINATIONS.find(one => new URL(url).host === new URL(one.url).host) ?? DESTINATIONS[0]
    },
    wrote: (statement, written, bindings) => {
      if (counts) rows[causeOf(statement, bindings)] += written
    },
  })
  const hostIds = await setUp(object, time, hosts)

  let batches = 0
  const waits: number[] = []
  const post = async (hostId: string, number: number, waysMs: number) => {
    const arrivedMs = time.now
    const ack = await object.rpc.ingest(...batchOf(hostId, number, time.now, intervalMs))
    if (!ack.ok) throw new Error(`${hostId} was refused: ${ack.detail}`)
    if (counts) batches += 1
    if (counts) waits.push(time.now - arrivedMs)
    const nextMs = time.now + ack.value.nextInMs + waysMs + random() * jitterMs
    time.at(Math.round(nextMs), () => void post(hostId, number + 1, waysMs))
  }
  for (const hostId of hostIds) {
    const waysMs = random() * awayMs
    time.after(Math.round(random() * intervalMs), () => void post(hostId, 1, waysMs))
  }

  await time.run(time.now + 2 * Math.max(intervalMs, MINUTE))
  const startsBefore = object.starts
  counts = true
  await time.run(time.now + minutes * MINUTE)
  counts = false
  const total = CAUSES.reduce((sum, cause) => sum + rows[cause], 0)
  const views = await object.rpc.destinations()
  const sorted = waits.toSorted((a, b) => a - b)
  return {
    batches,
    rows,
    rowsPerBatch: total / batches,
    starts: object.starts - startsBefore,
    answerMs: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) },
    requests,
    undeliveredAtEnd: Math.max(...views.map(({ backlogBatches }) => backlogBatches)),
  }
}

function causeOf(statement: string, bindings: readonly unknown[]): Cause {
  if (statement === 'setAlarm') return 'alarm'
  // Its columns: slot, seq, at, batches, …
  if (/INTO outbox\b/.test(statement)) return Number(bindings[3]) > 0 ? 'ingest' : 'tick'
  if (/\bcheckpoint\b/.test(statement)) return 'checkpoint'
  return /\bevents\b/.test(statement) ? 'event' : 'other'
}

const quantile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN

/** Answers the hosts' ids. */
async function setUp({ rpc }: SimulatedObject, time: SimulatedTime, hosts: number): Promise<string[]> {
  await rpc.init(TENANT)
  const hostIds: string[] = []
  for (let host = 0; host < hosts; host += 1) {
    const names = { hostname: `SRV-${host}`, name: `БУХ-${host}` }
    const enrolled = await rpc.enrol({ ...names, machineId: `machine-${host}`, os: OS, secretHash: SECRET_HASH })
    if (!enrolled.ok) throw new Error(enrolled.detail)
    hostIds.push(enrolled.value.hostId)
  }
  for (const { name, sink, url } of DESTINATIONS) {
    const settings = { url, ...(sink === 'influxdb' && SETTINGS.influxdb) }
    const added = await time.resolve(rpc.addDestination({ name, sink, settings }))
    if (!added.ok) throw new Error(added.detail)
  }
  return hostIds
}

/** One snapshot of all that an agent says, as the Worker hands it to the object. */
function batchOf(hostId: string, number: number, now: number, intervalMs: number): [IngestHeader, Uint8Array] {
  const metrics = Object.fromEntries(SEED_HOST_METRICS.map((name, index) => [name, index + number / 8]))
  const agent = { ...wireBatch().agent, intervalMs }
  const id = idOf(number)
  const batch = wireBatch({ id, seq: number, sentAtMs: now, agent, snapshots: [snapshot(now - 250, { metrics })] })
  const header = {
    rpc: RPC_VERSION,
    hostId,
    secretHash: SECRET_HASH,
    id,
    seq: number,
    sentAtMs: now,
    gzip: true,
    snapshots: 1,
    samples: SEED_HOST_METRICS.length,
    newestAtMs: now - 250,
    agent,
    spool: batch.spool,
    backups: [],
  } as const
  return [header, new Uint8Array(gzipSync(JSON.stringify(batch)))]
}
