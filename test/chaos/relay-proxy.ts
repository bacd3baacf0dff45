import { gunzipSync } from 'node:zlib'
import { ackSchema, type WireBatch } from '../../shared/wire.ts'
import { forward, pass, serve } from './forward.ts'

/** What becomes of the posts of agents on their way. */
export type RoadFault =
  /** The relay stores and answers; the agent never hears. */
  | 'lost-ack'
  /** The relay stores and answers; the agent gets a web page with 200. */
  | 'page-after'
  /** The agent gets a web page with 200; the relay never hears. */
  | 'page-before'

/** What is known of a snapshot that was posted. */
export type Fate =
  /** The relay said that a batch with it is stored. */
  | 'accepted'
  /** It was sent, and no answer came back: nobody knows. */
  | 'maybe'
  /** The relay refused every batch with it that came. */
  | 'refused'

/** What passed by of one host. */
export interface Road {
  /** By time of the snapshot. */
  readonly fates: Map<number, Fate>
  /** When posts of it were tried, epoch milliseconds, in order. */
  readonly triedAtMs: number[]
  readonly spools: Set<string>
}

export interface RelayProxy {
  /** Base URL for a host: the proxy knows it by its path. */
  urlFor(host: number): string
  roadOf(host: number): Road
  fault: RoadFault | undefined
  readonly counts: { posts: number; accepted: number; faulted: number }
  stop(): Promise<void>
}

const PAGE = '<!doctype html><html><body>Please log in</body></html>'
const PATH = /^\/h(\d+)(\/.*)$/

/** Stands between the agents and the relay, and keeps what became of every snapshot. */
export async function startRelayProxy(relayPort: number): Promise<RelayProxy> {
  const roads = new Map<number, Road>()
  const counts = { posts: 0, accepted: 0, faulted: 0 }
  const roadOf = (host: number): Road => {
    const road = roads.get(host) ?? { fates: new Map(), triedAtMs: [], spools: new Set() }
    roads.set(host, road)
    return road
  }

  const server = await serve(async (incoming, outgoing, body) => {
    const [, host, path = '/'] = incoming.url?.match(PATH) ?? []
    if (host === undefined) return void outgoing.writeHead(404).end()
    const isPost = path === '/v1/batches'
    const road = roadOf(Number(host))
    const fault = isPost ? proxy.fault : undefined
    if (isPost) {
      counts.posts += 1
      road.triedAtMs.push(Date.now())
    }
    if (fault) counts.faulted += 1
    const page = () => outgoing.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    if (fault === 'page-before') return void page()
    const batch = isPost ? (JSON.parse(gunzipSync(body).toString()) as WireBatch) : undefined
    if (batch) note(road, batch, 'maybe')
    const answer = await forward(relayPort, incoming, path, body)
    if (batch && answer) {
      const fate = fateOf(batch, answer.status, answer.body.toString())
      if (fate === 'accepted') counts.accepted += 1
      if (fate !== 'maybe') note(road, batch, fate)
    }
    if (!answer || fault === 'lost-ack') return void outgoing.destroy()
    if (fault === 'page-after') return void page()
    pass(outgoing, answer)
  })

  const proxy: RelayProxy = {
    urlFor: host => `${server.url}/h${host}`,
    roadOf,
    fault: undefined,
    counts,
    stop: server.stop,
  }
  return proxy
}

function fateOf(batch: WireBatch, status: number, body: string): Fate {
  if (status === 200) {
    const ack = ackSchema.safeParse(JSON.parse(body))
    if (ack.success && ack.data.id === batch.id) return 'accepted'
  }
  // A 5xx may come from behind a stored row.
  return status >= 400 && status < 500 ? 'refused' : 'maybe'
}

/** What is known best stays: accepted, else that nobody knows, else that it was refused. */
function note(road: Road, batch: WireBatch, fate: Fate): void {
  road.spools.add(batch.spool.id)
  for (const { atMs } of batch.snapshots) {
    const known = road.fates.get(atMs)
    if (known !== 'accepted' && !(known === 'maybe' && fate === 'refused')) road.fates.set(atMs, fate)
  }
}
