import { parseArgs } from 'node:util'
import { STAND_IN_KINDS, type StandInKind } from './protocol.ts'
import { startStandIn } from './stand-in.ts'

/**
 * `node main.ts --kinds remote-write,loki`: these stand-ins on ports of their own, strict. Prints one line of JSON, URL
 * by kind; each then shows what it takes at `GET /` (text) and `GET /-/held` (JSON). Ends on SIGTERM, on SIGINT and when
 * its standard input closes, so that it never outlives who started it.
 */

/** Hours of a few hosts, not a database. */
const BOUNDS = { maxSeries: 5_000, maxSamplesPerSeries: 1_000 }

function readKinds(): StandInKind[] {
  const { values } = parseArgs({ options: { kinds: { type: 'string', default: STAND_IN_KINDS.join(',') } } })
  const named = values.kinds.split(',').filter(Boolean)
  const unknown = named.find(name => !STAND_IN_KINDS.some(kind => kind === name))
  if (unknown === undefined && named.length > 0) return STAND_IN_KINDS.filter(kind => named.includes(kind))
  throw new Error(`--kinds takes some of ${STAND_IN_KINDS.join(',')}, not "${unknown ?? ''}".`)
}

// Whoever starts them knows a URL and nothing else: no bucket to name.
const standIns = await Promise.all(readKinds().map(kind => startStandIn(kind, { bounds: BOUNDS, anyBucket: true })))
async function end(): Promise<void> {
  await Promise.all(standIns.map(standIn => standIn.stop()))
  process.exit(0)
}

process.once('SIGTERM', end)
process.once('SIGINT', end)
process.stdin.once('close', end)
process.stdin.once('end', end)
process.stdin.resume()

console.log(JSON.stringify(Object.fromEntries(standIns.map(({ kind, url }) => [kind, url]))))
