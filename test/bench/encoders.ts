import { gzipSync } from 'node:zlib'
import { InfluxDB, Point, type Transport } from '@influxdata/influxdb-client'
import { pushTimeseries } from 'prometheus-remote-write'
import { influxdb } from '../../relay/sinks/influxdb.ts'
import { remoteWrite } from '../../relay/sinks/remote-write.ts'
import type { Batch } from '../../relay/sinks/sink.ts'
import { batchOf } from './encodings.ts'
import { median } from './process-stats.ts'
import { SAMPLES_PER_SNAPSHOT, snapshotsOf } from './snapshots.ts'

/** As many as one request of the relay carries. */
const HOSTS = Math.floor(2_000 / SAMPLES_PER_SNAPSHOT)
const WARM_UP_ROUNDS = 40
const ROUNDS = 120

type Encode = () => Uint8Array | Promise<Uint8Array>

/** How much quicker the relay has the same samples as bytes ready to send: medians of alternating rounds. */
export async function measureEncoders(): Promise<{ remoteWrite: number; influxdb: number }> {
  const snapshots = snapshotsOf(1)
  const batches = Array.from({ length: HOSTS }, (_, host) => batchOf(host, snapshots.next(host, Date.now())))
  return {
    remoteWrite: await speedup(ourRemoteWrite(batches), theirRemoteWrite(batches)),
    influxdb: await speedup(ourInfluxdb(batches), theirInfluxdb(batches)),
  }
}

async function speedup(ours: Encode, theirs: Encode): Promise<number> {
  const oursMs: number[] = []
  const theirsMs: number[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
    const took = [await timeMs(ours), await timeMs(theirs)] as const
    if (round < WARM_UP_ROUNDS) continue
    oursMs.push(took[0])
    theirsMs.push(took[1])
  }
  return median(theirsMs) / median(oursMs)
}

async function timeMs(encode: Encode): Promise<number> {
  const startMs = performance.now()
  const { length } = await encode()
  const tookMs = performance.now() - startMs
  if (length === 0) throw new Error('an encoder made nothing')
  return tookMs
}

function ourRemoteWrite(batches: readonly Batch[]): Encode {
  const settings = remoteWrite.settings.parse({ url: 'http://127.0.0.1/api/v1/write' })
  return () => bytesOf(remoteWrite.encode(batches, settings)?.body)
}

function ourInfluxdb(batches: readonly Batch[]): Encode {
  const settings = influxdb.settings.parse({ url: 'http://127.0.0.1', token: 't', org: 'o', bucket: 'b' })
  return () => bytesOf(influxdb.encode(batches, settings)?.body)
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  throw new Error('an encoder made no bytes')
}

/** `pushTimeseries` with a `fetch` of ours that keeps the body: its own way from samples to bytes, without HTTP. */
function theirRemoteWrite(batches: readonly Batch[]): Encode {
  return async () => {
    let sent: Uint8Array = new Uint8Array()
    await pushTimeseries(batches.flatMap(timeseriesOf), {
      url: 'http://127.0.0.1/api/v1/write',
      fetch: async (_, init) => {
        sent = new Uint8Array(init?.body ?? new ArrayBuffer(0))
        return { status: 204, statusText: 'No Content', text: async () => '' }
      },
    })
    return sent
  }
}

function timeseriesOf({ tenant, host, snapshots }: Batch) {
  const identity = { instance: host.name, job: 'onec_backup_bot', tenant: tenant.name }
  return snapshots.flatMap(({ atMs, metrics, series }) => [
    ...Object.entries(metrics).map(([name, value]) => ({
      labels: { __name__: name, ...identity },
      samples: [{ value, timestamp: atMs }],
    })),
    ...(series ?? []).map(({ name, labels, value }) => ({
      labels: { __name__: name, ...labels, ...identity },
      samples: [{ value, timestamp: atMs }],
    })),
  ])
}

/** Its write API with a transport of ours that does what its own does to the text, gzip, and keeps the bytes. */
function theirInfluxdb(batches: readonly Batch[]): Encode {
  let sent = new Uint8Array()
  const transport: Pick<Transport, 'send'> = {
    send(_path, text, _options, callbacks) {
      sent = gzipSync(text)
      callbacks?.responseStarted?.({}, 204)
      callbacks?.complete?.()
    },
  }
  const client = new InfluxDB({ url: 'http://127.0.0.1', token: 't', transport: transport as Transport })
  const writer = client.getWriteApi('o', 'b', 'ms', { flushInterval: 0, maxRetries: 0 })
  return async () => {
    writer.writePoints(batches.flatMap(pointsOf))
    await writer.flush()
    return sent
  }
}

function pointsOf({ tenant, host, snapshots }: Batch): Point[] {
  const point = (atMs: number) =>
    new Point('system_metrics').tag('host', host.name).tag('tenant', tenant.name).timestamp(atMs)
  return snapshots.flatMap(({ atMs, metrics, series }) => {
    const plain = point(atMs)
    for (const [name, value] of Object.entries(metrics)) plain.floatField(name.slice(5), value)
    const volumes = Map.groupBy(series ?? [], ({ labels }) => labels.volume ?? '')
    const others = [...volumes].map(([volume, ofVolume]) => {
      const one = point(atMs).tag('volume', volume)
      for (const { name, value } of ofVolume) one.floatField(name.slice(5), value)
      return one
    })
    return [plain, ...others]
  })
}
