import type { DestinationInput } from '../../relay/tenant/rpc.ts'
import type { LoadJob, LoadResult } from './load-worker.ts'
import { openRelayUnderLoad, type RelayUnderLoad } from './relay-under-load.ts'
import type { SinkQuestion, SinkReport } from './sinks-worker.ts'
import { startWorker, type Worker } from './worker.ts'

/** What a measurement of the running relay needs: it, who posts to it, and whom it delivers to. */
export interface Fixture {
  readonly relay: RelayUnderLoad
  load(job: Omit<LoadJob, 'seed'>): Promise<LoadResult>
  /** What the sinks took since the last call; from now on they answer after so long, at once when absent. */
  sinks(answerAfterMs?: number): Promise<SinkReport>
  /** Destinations at the sinks: one of each kind, or two remote writes. */
  readonly fourSinks: readonly DestinationInput[]
  readonly twoRemoteWrites: readonly DestinationInput[]
  close(): Promise<void>
}

export async function openFixture(): Promise<Fixture> {
  const loader: Worker<LoadJob, LoadResult> = startWorker(new URL('load-worker.ts', import.meta.url))
  const sinks: Worker<SinkQuestion, SinkReport> = startWorker(new URL('sinks-worker.ts', import.meta.url))
  const stopWorkers = () => Promise.all([loader.stop(), sinks.stop()])
  const { port } = await sinks.ask({ answerAfterMs: 0 })
  const relay = await openRelayUnderLoad().catch(async error => {
    await stopWorkers()
    throw error
  })
  const url = `http://127.0.0.1:${port}`
  let seed = 0
  return {
    relay,
    load(job) {
      seed += 1
      return loader.ask({ ...job, seed })
    },
    sinks: (answerAfterMs = 0) => sinks.ask({ answerAfterMs }),
    fourSinks: [
      { name: 'prometheus', sink: 'remote-write', settings: { url: `${url}/first` } },
      { name: 'pushgateway', sink: 'pushgateway', settings: { url } },
      { name: 'influxdb', sink: 'influxdb', settings: { url, token: 'token', org: 'org', bucket: 'onec' } },
      { name: 'loki', sink: 'loki', settings: { url } },
    ],
    twoRemoteWrites: ['first', 'second'].map(name => ({
      name,
      sink: 'remote-write',
      settings: { url: `${url}/${name}` },
    })),
    async close() {
      await relay.remove()
      await stopWorkers()
    },
  }
}
