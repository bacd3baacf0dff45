import { gzipSync } from 'node:zlib'
import { uncompressSync } from 'snappy'
import { expect, test } from 'vitest'
import { type IngestHeader, RPC_VERSION } from '../../../relay/tenant/rpc.ts'
import { SEED_HOST_METRICS } from '../../../shared/metrics.ts'
import { SimulatedObject } from '../../support/simulated-object.ts'
import { SimulatedTime } from '../../support/simulated-time.ts'
import { decodeWriteRequest } from '../../support/stand-ins/remote-write-message.ts'
import { idOf, NOW, snapshot, TENANT, wireBatch } from './fixtures.ts'

/** Hosts that were away for three hours come back at once, beside hosts that never were: the whole object, time simulated. */

const MINUTE = 60_000
const SECRET_HASH = 'a'.repeat(64)
const AWAY_MINUTES = 180
/** As the agent cuts a backlog. */
const SNAPSHOTS_PER_BATCH = 10
const SAMPLES = 45
const METRICS = Object.fromEntries(SEED_HOST_METRICS.map((name, index) => [name, index]))
const SERIES = ['C:', 'D:', 'E:', 'F:'].map(volume => ({
  name: 'onec_volume_free_bytes',
  labels: { volume },
  value: 1e11,
}))
const SERIES_WATCHED = 'onec_timestamp_unix'

function batchOf(hostId: string, number: number, now: number, times: readonly number[], pendingBatches: number) {
  const snapshots = times.map(atMs => snapshot(atMs, { metrics: METRICS, series: SERIES }))
  const id = idOf(number)
  const spool = { ...wireBatch().spool, pendingBatches }
  const batch = wireBatch({ id, seq: number, sentAtMs: now, snapshots, spool })
  const { agent, seq, sentAtMs } = batch
  const samples = SAMPLES * times.length
  const known = { hostId, secretHash: SECRET_HASH, id, seq, sentAtMs, agent, spool, backups: [] }
  const newestAtMs = times.at(-1) ?? null
  const header = { rpc: RPC_VERSION, gzip: true, snapshots: times.length, samples, newestAtMs, ...known } as const
  return [header satisfies IngestHeader, new Uint8Array(gzipSync(JSON.stringify(batch)))] as const
}

async function drain({ away, replyMs }: { readonly away: number; readonly replyMs: number }) {
  const time = new SimulatedTime(NOW)
  const held = new Map<string, number[]>()
  const liveDelaysMs: number[] = []
  let drainedAtMs = 0
  const object = await SimulatedObject.start(time, {
    syncMs: 3,
    answer: (_, body) => {
      const { timeseries } = decodeWriteRequest(Buffer.from(uncompressSync(Buffer.from(body as Uint8Array))) as Buffer)
      for (const { labels, samples } of timeseries) {
        const text = new Map(labels.map(({ name, value }) => [name, value]))
        const host = text.get('instance') ?? ''
        if (text.get('__name__') !== SERIES_WATCHED) continue
        const times = samples.map(({ atMs }) => atMs)
        held.set(host, [...(held.get(host) ?? []), ...times])
        if (host.startsWith('ЖИВОЙ')) liveDelaysMs.push(...times.map(atMs => time.now + replyMs - atMs))
        else drainedAtMs = time.now
      }
      return { status: 204, afterMs: replyMs }
    },
  })
  const { rpc } = object
  await rpc.init(TENANT)
  const settings = { url: 'http://store.example', allowHttp: true, windowMinutes: 1_440 }
  await time.resolve(rpc.addDestination({ name: 'Облако', sink: 'remote-write', settings }))
  const enrol = async (name: string) => {
    const host = await rpc.enrol({
      hostname: name,
      name,
      machineId: `machine ${name}`,
      os: 'Windows',
      secretHash: SECRET_HASH,
    })
    if (!host.ok) throw new Error(host.detail)
    return host.value.hostId
  }

  /** Posts what waits, oldest first, whenever it may; takes a snapshot a minute meanwhile. */
  async function live(hostId: string, waiting: number[], nextSnapshotMs: number, number = 1): Promise<void> {
    for (let atMs = nextSnapshotMs; atMs <= time.now; atMs += MINUTE) {
      waiting.push(atMs)
      nextSnapshotMs = atMs + MINUTE
    }
    const times = waiting.splice(0, SNAPSHOTS_PER_BATCH)
    const pending = Math.ceil(waiting.length / SNAPSHOTS_PER_BATCH)
    const ack = await rpc.ingest(...batchOf(hostId, number, time.now, times, pending))
    if (!ack.ok) throw new Error(ack.detail)
    const nextMs = Math.max(time.now + ack.value.nextInMs, waiting.length > 0 ? 0 : nextSnapshotMs)
    time.at(Math.round(nextMs), () => void live(hostId, waiting, nextSnapshotMs, number + 1))
  }

  for (let host = 0; host < 5; host += 1) {
    const hostId = await enrol(`ЖИВОЙ-${host}`)
    time.after(host * 100, () => void live(hostId, [], NOW))
  }
  const backAtMs = NOW + 5 * MINUTE
  for (let host = 0; host < away; host += 1) {
    const hostId = await enrol(`БУХ-${host}`)
    const backlog = Array.from({ length: AWAY_MINUTES }, (_, minute) => backAtMs - (AWAY_MINUTES - minute) * MINUTE)
    time.at(backAtMs + host * 10, () => void live(hostId, backlog, backAtMs))
  }
  await time.run(backAtMs + 15 * MINUTE)
  const [view] = await rpc.destinations()
  return { held, liveDelaysMs, drainedInMs: drainedAtMs - backAtMs, view }
}

test.each([
  [1, 150],
  [100, 150],
])(
  '%i hosts: live ones are delayed by less than an interval, order holds, nothing is left out',
  async (away, replyMs) => {
    const { held, liveDelaysMs, view } = await drain({ away, replyMs })
    expect(liveDelaysMs.length).toBeGreaterThan(5 * 15)
    expect(Math.max(...liveDelaysMs)).toBeLessThan(MINUTE)
    for (const [host, times] of held) expect(times, host).toEqual([...new Set(times)].toSorted((a, b) => a - b))
    const drained = [...held].filter(([host]) => host.startsWith('БУХ'))
    expect(drained).toHaveLength(away)
    for (const [host, times] of drained) expect(times.length, host).toBeGreaterThanOrEqual(AWAY_MINUTES)
    expect(view).toMatchObject({ state: 'active', droppedSamples: 0, deadLetters: 0 })
  },
  120_000,
)
