import { type FieldValue, type Point, readLines } from './line-protocol.ts'
import {
  CONTROL_CHARACTER,
  decodeUtf8,
  type Exchange,
  inflate,
  type Protocol,
  refuse,
  type Verdict,
} from './protocol.ts'
import { createStore, dropOldest, type StoreBounds } from './store.ts'

export interface InfluxdbOptions {
  /** Names that exist; absent: any. Another organization or bucket is a 404, as is another database. */
  readonly org?: string
  readonly bucket?: string
  readonly database?: string
  /** Also takes v2 writes that name no organization and no bucket, as VictoriaMetrics does; InfluxDB asks for both. */
  readonly anyBucket?: boolean
}

const V2_PATH = '/api/v2/write'
const V1_PATH = '/write'

/** Nanoseconds a unit. v1 takes any word it does not know for nanoseconds [measured]; v2 answers 400. */
const V1_UNITS: Readonly<Record<string, bigint>> = {
  u: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const V2_UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n }
const MAX_TIME_NS = 2n ** 63n - 2n

interface TimedPoint extends Point {
  readonly atMs: number
}

interface Api {
  readonly unitNs: bigint
  /** v1 stores the lines it can read and answers 400; v2 stores none of a request with an unreadable line. */
  readonly storesReadableLines: boolean
  readonly conflictStatus: 400 | 422
  readonly error: (code: string, message: string) => string
}

/**
 * InfluxDB's write API. `/write` as 1.6.7 answers (measured); `/api/v2/write` from the 2.x source (http/write_handler.go,
 * http/points, storage/points_writer.go), since there is no 2.x server here. VictoriaMetrics, the nearest real one,
 * answers 204 to any line and any field type, and mangles or drops what it cannot read.
 */
export function influxdb(options: InfluxdbOptions, bounds: StoreBounds): Protocol {
  const store = createStore(bounds)
  /** Type of each field of each measurement, fixed by its first write. */
  const types = new Map<string, FieldValue['type']>()

  function judge(exchange: Exchange): Verdict {
    const { method, path, headers, body } = exchange
    if (method !== 'POST') return refuse(405, 'Method Not Allowed')
    const api = path === V2_PATH ? readV2(exchange.query, options) : readV1(exchange.query, options)
    if ('answer' in api) return api
    let plain: Buffer
    try {
      plain = headers['content-encoding'] === 'gzip' ? inflate(body, 'gzip') : body
    } catch {
      return refuse(400, api.error('invalid', 'gzip: invalid header'))
    }
    const text = decodeUtf8(plain)
    return judgeLines(text ?? plain.toString(), exchange.nowMs, api, text === undefined ? ['the body is no UTF-8'] : [])
  }

  function judgeLines(text: string, nowMs: number, api: Api, more: readonly string[]): Verdict {
    const good: TimedPoint[] = []
    const bad: string[] = []
    for (const reading of readLines(text)) {
      const atMs = reading.ok ? timeOf(reading.point, nowMs, api.unitNs) : undefined
      if (!reading.ok) bad.push(`unable to parse '${reading.line}': ${reading.reason}`)
      else if (atMs === undefined) bad.push(`unable to parse: time outside range ${-MAX_TIME_NS} - ${MAX_TIME_NS}`)
      else good.push({ ...reading.point, atMs })
    }
    const defects = [...more, ...good.flatMap(pointDefects)]
    const reasons = bad.join('\n')
    if (bad.length > 0 && (!api.storesReadableLines || good.length === 0))
      return { ...refuse(400, api.error('invalid', reasons)), defects }
    const { taken, conflicts } = sortByType(good)
    const partial = [...conflicts, ...(reasons ? [reasons] : [])].join('\n')
    const commit = () => keep(taken)
    if (partial === '') return { answer: { status: 204 }, defects, commit }
    const status = conflicts.length > 0 ? api.conflictStatus : 400
    const message = `partial write: ${partial} dropped=${conflicts.length}`
    return { ...refuse(status, api.error('unprocessable entity', message)), defects, commit }
  }

  /** Points whose fields have the type of their first write, also within one request. */
  function sortByType(points: readonly TimedPoint[]) {
    const ahead = new Map<string, FieldValue['type']>()
    const conflicts: string[] = []
    const taken = points.filter(({ measurement, tags, fields }) => {
      if (Object.hasOwn(tags, 'time'))
        return void conflicts.push(`input tag "time" on measurement "${measurement}" is invalid`)
      for (const [name, { type }] of Object.entries(fields)) {
        const key = JSON.stringify([measurement, name])
        const known = ahead.get(key) ?? types.get(key) ?? type
        const where = `input field "${name}" on measurement "${measurement}"`
        if (name === 'time') return void conflicts.push(`${where} is invalid`)
        if (known !== type)
          return void conflicts.push(`field type conflict: ${where} is type ${type}, already exists as type ${known}`)
        ahead.set(key, type)
      }
      return true
    })
    return { taken, conflicts }
  }

  function keep(points: readonly TimedPoint[]): void {
    for (const { measurement, tags, fields, atMs } of points)
      for (const [name, { type, value }] of Object.entries(fields)) {
        types.set(JSON.stringify([measurement, name]), type)
        store.take({ name, labels: { _measurement: measurement, ...tags }, atMs, value })
      }
    while (types.size > bounds.maxSeries) dropOldest(types)
  }

  return {
    kind: 'influxdb',
    title: 'InfluxDB',
    store,
    writes: ({ path }) => path === V2_PATH || path === V1_PATH,
    judge,
    read: ({ path }) => (path === '/ping' ? { status: 204 } : undefined),
    clear() {
      store.clear()
      types.clear()
    },
  }
}

/** Order of the checks as in `decodeWriteRequest` and `handleWrite`. */
function readV2(query: URLSearchParams, options: InfluxdbOptions): Api | Verdict {
  const error = (code: string, message: string) => JSON.stringify({ code, message })
  const unitNs = V2_UNITS[query.get('precision') || 'ns']
  if (unitNs === undefined)
    return refuse(400, error('invalid', 'invalid precision; valid precision units are ns, us, ms, and s'))
  const api: Api = { unitNs, storesReadableLines: false, conflictStatus: 422, error }
  const bucket = query.get('bucket')
  if (options.anyBucket) return api
  if (!bucket || (options.bucket !== undefined && bucket !== options.bucket))
    return refuse(404, error('not found', bucket ? `bucket "${bucket}" not found` : 'bucket not found'))
  const org = query.get('org') || query.get('orgID')
  if (!org) return refuse(400, error('invalid', 'Please provide either orgID or org'))
  if (options.org !== undefined && org !== options.org)
    return refuse(404, error('not found', `organization name "${org}" not found`))
  return api
}

function readV1(query: URLSearchParams, options: InfluxdbOptions): Api | Verdict {
  const error = (_: string, message: string) => JSON.stringify({ error: message })
  const database = query.get('db')
  if (!database) return refuse(400, error('', 'database is required'))
  if (options.database !== undefined && database !== options.database)
    return refuse(404, error('', `database not found: "${database}"`))
  return { unitNs: V1_UNITS[query.get('precision') ?? ''] ?? 1n, storesReadableLines: true, conflictStatus: 400, error }
}

function timeOf({ time }: Point, nowMs: number, unitNs: bigint): number | undefined {
  if (time === undefined) return nowMs
  const ns = time * unitNs
  return ns > MAX_TIME_NS || ns < -MAX_TIME_NS ? undefined : Number(ns / 1_000_000n)
}

/** What InfluxDB takes and no encoder of ours may send. */
function pointDefects({ measurement, tags, fields, time, repeatedField }: Point): string[] {
  const found: string[] = []
  if (time === undefined) found.push(`a point of ${measurement} without a time`)
  if (repeatedField) found.push(`a field of ${measurement} is given twice`)
  for (const [name, value] of [['measurement', measurement] as const, ...Object.entries(tags)])
    if (CONTROL_CHARACTER.test(value)) found.push(`${name} has control characters`)
  for (const [name, field] of Object.entries(fields)) {
    if (field.type !== 'float')
      found.push(`field ${name} is ${field.type}: a field's first type is its last, metrics are floats`)
    else if (field.odd) found.push(`field ${name} has no digit on one side of the point`)
  }
  return found
}
