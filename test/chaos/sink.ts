import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { StandInKind } from '../support/stand-ins/protocol.ts'
import { type Journal, startStandIn } from '../support/stand-ins/stand-in.ts'
import { type Arrival, arrivalsIn } from './arrivals.ts'
import { linesIn, snapshotsIn } from './held.ts'
import type { SinkOrder, SinkReport } from './sink-orders.ts'

/**
 * `node sink.ts KIND PORT JOURNAL`: a strict stand-in that can be killed: what it stored is in the journal before it
 * answers, and there again when it starts again.
 */

const BOUNDS = { maxSeries: 50_000, maxSamplesPerSeries: 500_000 }

const [kind, port, file] = process.argv.slice(2) as [StandInKind, string, string]

type Exchange = Parameters<Journal['note']>[0]

/** In which order the snapshots of each host came for the first time. */
const newestMs = new Map<string, number>()
const seen = new Set<string>()
const reordered: Arrival[] = []

function noteArrivals(exchange: Exchange): void {
  for (const { tenant, name, atMs } of arrivalsIn(kind, exchange)) {
    const host = `${tenant}\n${name}`
    if (seen.has(`${host}\n${atMs}`)) continue
    seen.add(`${host}\n${atMs}`)
    if (atMs < (newestMs.get(host) ?? 0)) reordered.push({ tenant, name, atMs })
    else newestMs.set(host, atMs)
  }
}

function readJournal(): Exchange[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => {
      try {
        const { query, body, ...rest } = JSON.parse(line)
        return [{ ...rest, query: new URLSearchParams(query), body: Buffer.from(body, 'base64') } as Exchange]
      } catch {
        // The line that the kill cut: it was not answered either.
        return []
      }
    })
}

const taken = readJournal()
taken.forEach(noteArrivals)
const standIn = await startStandIn(kind, {
  port: Number(port),
  bounds: BOUNDS,
  anyBucket: true,
  journal: {
    taken,
    note(exchange) {
      const { query, body, ...rest } = exchange
      // A line of its own also behind one that a kill cut.
      appendFileSync(file, `\n${JSON.stringify({ ...rest, query: query.toString(), body: body.toString('base64') })}`)
      noteArrivals(exchange)
    },
  },
})

async function obey(order: SinkOrder): Promise<SinkReport> {
  const { hosts } = order
  const series = standIn.series().values()
  const page = kind === 'pushgateway' ? await fetch(`${standIn.url}/metrics`).then(reply => reply.text()) : ''
  return {
    // A Pushgateway has no history: what it shows is on its page.
    held: kind === 'pushgateway' ? [] : kind === 'loki' ? linesIn(series, hosts) : snapshotsIn(series, hosts),
    reordered,
    defects: standIn.defects(),
    page,
  }
}

process.on('message', async ({ id, order }: { id: number; order: SinkOrder }) =>
  process.send?.({ id, reply: await obey(order) }),
)
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, reply: null })
