import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { type Behaviour, behaveFrom, behaviourSchema, nextBehaviour } from './behaviour.ts'
import { authorizes, type Credentials } from './credentials.ts'
import { type InfluxdbOptions, influxdb } from './influxdb.ts'
import { type LokiOptions, loki } from './loki.ts'
import { renderPage } from './page.ts'
import type { Answer, Exchange, Protocol, StandInKind, Verdict } from './protocol.ts'
import { pushgateway } from './pushgateway.ts'
import { type RemoteWriteOptions, remoteWrite } from './remote-write.ts'
import { type RequestRecord, readBody, recordOf } from './request-record.ts'
import { DEFAULT_BOUNDS, type HeldSample, type HeldSeries, type Store, type StoreBounds } from './store.ts'

export interface StandInOptions extends RemoteWriteOptions, LokiOptions, InfluxdbOptions {
  /** 0 or absent: any free one. */
  readonly port?: number
  readonly now?: () => number
  /** Write requests without them are answered 401. */
  readonly credentials?: Credentials
  /**
   * A defect is what the real server lets pass although it is wrong (see `Verdict`). `refuse`, the default: 400 and
   * nothing stored, so that no test can overlook it. `mirror`: the real server's own answer, the defect only counted.
   */
  readonly onDefect?: 'refuse' | 'mirror'
  readonly bounds?: Partial<StoreBounds>
  /** For a stand-in that outlives its process; absent: what it holds ends with it. */
  readonly journal?: Journal
}

/** What was stored, in its order: a store's own log. */
export interface Journal {
  /** What an earlier life stored: taken again at the start, unasked. */
  readonly taken: Iterable<Exchange>
  /** Called when a request was stored, before its answer goes out. */
  note(exchange: Exchange): void
}

export interface Counts {
  readonly requests: number
  readonly refused: number
  readonly unauthorized: number
  /** Samples, one taken again included. */
  readonly taken: number
  readonly takenAgain: number
  readonly droppedSeries: number
  readonly droppedSamples: number
}

/** `GET /-/held`; with `?samples=1` each series has its `samples`. */
export interface Held {
  readonly kind: StandInKind
  readonly title: string
  readonly counts: Counts
  readonly defects: readonly string[]
  readonly metadata: Readonly<Record<string, { readonly type: string; readonly help: string }>>
  readonly series: readonly {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly count: number
    readonly newest: HeldSample | null
    readonly samples?: readonly HeldSample[]
  }[]
}

export interface StandIn {
  readonly kind: StandInKind
  /** `http://127.0.0.1:<port>`: what a destination's `url` setting takes. */
  readonly url: string
  series(): Map<string, HeldSeries>
  /** The last 1,000 write requests. */
  requests(): readonly RequestRecord[]
  /** The last 1,000. */
  defects(): readonly string[]
  counts(): Counts
  held(withSamples?: boolean): Held
  behave(behaviour: Behaviour): void
  /** Forgets what it holds, requests and defects; counters stay. */
  clear(): void
  stop(): Promise<void>
}

const MAX_REMEMBERED = 1_000
/** Beyond it, requests to a hanging stand-in are dropped. */
const MAX_HANGING = 200

function createProtocol(kind: StandInKind, options: StandInOptions): Protocol {
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
  switch (kind) {
    case 'remote-write':
      return remoteWrite(options, bounds)
    case 'pushgateway':
      return pushgateway(bounds)
    case 'influxdb':
      return influxdb(options, bounds)
    case 'loki':
      return loki(options, bounds)
  }
}

/** Serves one strict double of a sink on loopback. */
export async function startStandIn(kind: StandInKind, options: StandInOptions = {}): Promise<StandIn> {
  const now = options.now ?? Date.now
  const protocol = createProtocol(kind, options)
  const tally = { requests: 0, refused: 0, unauthorized: 0 }
  const requests: RequestRecord[] = []
  const defects: string[] = []
  const hanging = new Set<ServerResponse>()
  let behaviour = behaveFrom({ kind: 'ok' }, now())

  const counts = (): Counts => ({ ...tally, ...protocol.store.counts })
  const held = (withSamples = false): Held => ({
    kind,
    title: protocol.title,
    counts: counts(),
    defects: [...defects],
    metadata: protocol.metadata?.() ?? {},
    series: summarize(protocol.store, withSamples),
  })
  const behave = (next: Behaviour) => {
    behaviour = behaveFrom(next, now())
  }
  const clear = () => {
    protocol.clear()
    requests.length = 0
    defects.length = 0
  }

  /** What the sink answers, with what follows from it done. */
  function answer(exchange: Exchange): Answer {
    if (options.credentials && !authorizes(exchange.headers.authorization, options.credentials)) {
      tally.unauthorized += 1
      return { status: 401, body: 'unauthorized\n', headers: { 'www-authenticate': options.credentials.scheme } }
    }
    const verdict = protocol.judge(exchange)
    remember(defects, ...verdict.defects)
    const given = settle(verdict, options.onDefect ?? 'refuse')
    if (verdict.commit && given === verdict.answer) options.journal?.note(exchange)
    return given
  }

  async function write(exchange: Exchange, url: string, response: ServerResponse): Promise<void> {
    const [current, after] = nextBehaviour(behaviour, exchange.nowMs)
    behaviour = after
    tally.requests += 1
    const done = (status: number, reason = '') => {
      if (status === 0 || status >= 300) tally.refused += 1
      remember(requests, recordOf(exchange, url, status, reason))
    }
    if (current.kind === 'hang' && hanging.size < MAX_HANGING) {
      hanging.add(response)
      response.once('close', () => hanging.delete(response))
      return done(0, 'hang')
    }
    if (current.kind === 'hang' || current.kind === 'drop') {
      done(0, 'drop')
      return void response.destroy()
    }
    if (current.kind === 'slow') await wait(current.delayMs, undefined, { ref: false })
    const { status, body = '', headers } = current.kind === 'status' ? current : answer(exchange)
    if (current.kind === 'drop-after-store') {
      done(0, `drop after ${status}`)
      return void response.destroy()
    }
    done(status, status >= 300 ? body.slice(0, 300) : '')
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body)
  }

  /** `/` and `/-/…`: for people and for the processes that drive a stand-in. */
  function control(exchange: Exchange): Answer | undefined {
    const { method, path, query, body } = exchange
    if (path === '/' && method === 'GET') return { status: 200, body: renderPage(held(), exchange.nowMs) }
    if (path === '/-/held') return json(200, held(query.has('samples')))
    if (path === '/-/requests') return json(200, requests)
    if (path === '/-/clear' && method === 'POST') {
      clear()
      return { status: 204 }
    }
    if (path !== '/-/behave' || method !== 'POST') return undefined
    const wanted = behaviourSchema.safeParse(parseJson(body))
    if (!wanted.success) return json(422, { error: wanted.error.issues.map(issue => issue.message).join('; ') })
    behave(wanted.data)
    return { status: 204 }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const [path = '/', search = ''] = url.split(/\?(.*)/s, 2)
    const body = await readBody(request)
    if (!body) return void response.writeHead(413, { connection: 'close' }).end('request body too large\n')
    const { method = 'GET', headers } = request
    const exchange = { method, path, query: new URLSearchParams(search), headers, body, nowMs: now() }
    if (protocol.writes(exchange)) return write(exchange, url, response)
    const { status, ...rest } = control(exchange) ??
      protocol.read?.(exchange) ?? { status: 404, body: '404 page not found\n' }
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...rest.headers }).end(rest.body ?? '')
  }

  for (const exchange of options.journal?.taken ?? []) protocol.judge(exchange).commit?.()

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // A client that went away is no fault; anything else must be seen, and fails the test that caused it.
      if (request.destroyed && !request.complete) return
      remember(defects, `the stand-in itself failed: ${error instanceof Error ? error.stack : error}`)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The stand-in has no port.')

  return {
    kind,
    url: `http://127.0.0.1:${address.port}`,
    series: () => protocol.store.series(),
    requests: () => [...requests],
    defects: () => [...defects],
    counts,
    held,
    behave,
    clear,
    async stop() {
      if (!server.listening) return
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Does what a verdict says. Only what the real server would have taken is refused for its defects. */
function settle(verdict: Verdict, onDefect: 'refuse' | 'mirror'): Answer {
  const taken = verdict.answer.status < 300
  if (taken && verdict.defects.length > 0 && onDefect === 'refuse')
    return { status: 400, body: `defect: ${verdict.defects.slice(0, 10).join('; ')}\n` }
  verdict.commit?.()
  verdict.onRefusal?.()
  return verdict.answer
}

function summarize(store: Store, withSamples: boolean): Held['series'] {
  return [...store.series().values()].map(({ name, labels, samples }) => ({
    name,
    labels,
    count: samples.length,
    newest: samples.at(-1) ?? null,
    ...(withSamples && { samples }),
  }))
}

function remember<T>(list: T[], ...items: readonly T[]): void {
  list.push(...items)
  list.splice(0, Math.max(0, list.length - MAX_REMEMBERED))
}

const json = (status: number, value: unknown): Answer => ({
  status,
  body: `${JSON.stringify(value)}\n`,
  headers: { 'content-type': 'application/json' },
})

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
