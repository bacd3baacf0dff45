import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { influxdbRows, influxV1Path, influxV2Path } from '../support/conformance/influxdb-rows.ts'
import { pushgatewayRows } from '../support/conformance/pushgateway-rows.ts'
import { remoteWriteRows } from '../support/conformance/remote-write-rows.ts'
import { sendPlain } from '../support/http-request.ts'
import {
  type HeldSeries,
  influxQuery,
  prometheusQuery,
  type RealServer,
  readMetricsPage,
  startInfluxdb,
  startPrometheus,
  startPushgateway,
  startVictoriaMetrics,
  victoriaExport,
} from '../support/real-servers.ts'
import { plainValue } from '../support/stand-ins/protocol.ts'
import { type StandIn, startStandIn } from '../support/stand-ins/stand-in.ts'

/**
 * One table of requests a protocol, sent in order to Debian's server and to the stand-in that mirrors it: the same
 * statuses, and at the end the same data.
 */
const nowMs = Date.now()
const running: { stop(): Promise<void> }[] = []
afterAll(() => Promise.all(running.map(one => one.stop())))

async function start<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting
  running.push(started)
  return started
}

const byText = (lines: readonly string[]) => [...lines].sort()

/** A line a sample: name, sorted labels, time, value. */
function lineOf(name: string, labels: Readonly<Record<string, string>>, atMs: number, value: number | string): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)), atMs, value])
}

const linesOf = (standIn: StandIn) =>
  [...standIn.series().values()].flatMap(({ name, labels, samples }) =>
    samples.map(({ atMs, value }) => lineOf(name, labels, atMs, value)),
  )

const prometheusLines = (held: readonly HeldSeries[]) =>
  held.flatMap(({ labels: { __name__: name = '', ...labels }, samples }) =>
    samples.map(({ atMs, value }) => lineOf(name, labels, atMs, plainValue(value))),
  )

describe.each([
  { title: 'without an out-of-order window', window: undefined, outOfOrderWindowMs: 0 },
  { title: 'with a window of 2 h', window: '2h', outOfOrderWindowMs: 7_200_000 },
])('remote write, Prometheus 2.42 $title', ({ window, outOfOrderWindowMs }) => {
  let real: RealServer
  let standIn: StandIn
  beforeAll(async () => {
    real = await start(startPrometheus(window ? { outOfOrderWindow: window } : {}))
    standIn = await start(startStandIn('remote-write', { outOfOrderWindowMs, onDefect: 'mirror' }))
  })

  it.each(remoteWriteRows(nowMs))('$name', async ({ request, status, windowStatus }) => {
    const answer = await sendPlain(real.url, request)
    expect(answer.status, answer.body).toBe(window ? (windowStatus ?? status) : status)
    expect((await sendPlain(standIn.url, request)).status).toBe(answer.status)
  })

  it('holds the same samples', async () => {
    const toMs = nowMs + 2 * 86_400_000
    const range = '[3d]'
    const held = await prometheusQuery(real.url, `{__name__=~".*"}${range}`, toMs).catch(() =>
      prometheusQuery(real.url, `{__name__=~".+"}${range}`, toMs),
    )
    // Prometheus answers no stale markers, and no query of it finds a series without a label that it can name.
    const ours = linesOf(standIn).filter(line => !line.endsWith(',"stale"]') && !line.startsWith('[""'))
    expect(byText(prometheusLines(held))).toEqual(byText(ours))
  })
})

describe('Pushgateway 1.5.1', () => {
  let real: RealServer
  let standIn: StandIn
  beforeAll(async () => {
    real = await start(startPushgateway())
    standIn = await start(startStandIn('pushgateway', { onDefect: 'mirror' }))
  })

  it.each(pushgatewayRows())('$name', async ({ request, status }) => {
    const answer = await sendPlain(real.url, request)
    expect(answer.status, answer.body).toBe(status)
    expect((await sendPlain(standIn.url, request)).status).toBe(status)
  })

  it('serves the same page', async () => {
    expect(samplesOf(await readMetricsPage(standIn.url))).toEqual(samplesOf(await readMetricsPage(real.url)))
  })
})

/**
 * Samples and TYPEs of an exposition, the gateway's metrics of itself left out, numbers as JavaScript writes them, times
 * of pushes as 0 or 1.
 */
function samplesOf(page: string): string[] {
  return byText(
    page
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('# HELP'))
      .filter(line => !/^(# TYPE )?(go|process|promhttp|pushgateway)_/.test(line))
      .map(line => line.replace(/ (-?\d\S*)$/, (_, number: string) => ` ${Number(number)}`))
      .map(line => line.replace(/^(push_(?:failure_)?time_seconds\{.*\}) [^0].*$/, '$1 1')),
  )
}

describe('InfluxDB 1.6.7, /write', () => {
  let real: RealServer
  let standIn: StandIn
  beforeAll(async () => {
    real = await start(startInfluxdb())
    standIn = await start(startStandIn('influxdb', { database: 'onec', onDefect: 'mirror' }))
  })

  it.each(influxdbRows(nowMs, influxV1Path))('$name', async ({ request, status }) => {
    const answer = await sendPlain(real.url, request)
    expect(answer.status, answer.body).toBe(status)
    expect((await sendPlain(standIn.url, request)).status).toBe(status)
  })

  it.each([
    ['another database', '/write?db=nobody', 404],
    ['no database', '/write', 400],
    ['/api/v2/write, which 1.6 does not have and the stand-in has', '/api/v2/write?org=o&bucket=b', 404],
  ])('%s', async (_, path, status) => {
    const request = { method: 'POST', path, body: 'm f=1' }
    expect((await sendPlain(real.url, request)).status).toBe(status)
    if (path.startsWith('/write')) expect((await sendPlain(standIn.url, request)).status).toBe(status)
  })

  it('holds the same points', async () => {
    expect(await influxLines(real.url)).toEqual(byText(linesOf(standIn).map(withoutServerTime)))
  })
})

async function influxLines(url: string): Promise<string[]> {
  const names = (await influxQuery(url, 'SHOW MEASUREMENTS')).flatMap(({ values }) =>
    values.map(([name]) => String(name)),
  )
  // One by one: a query over all casts a field to the type that it has elsewhere, and loses what does not fit.
  const all = await Promise.all(names.map(name => influxQuery(url, `SELECT * FROM "${name}" GROUP BY *`)))
  const lines = all.flat().flatMap(({ name, tags = {}, columns, values }) =>
    values.flatMap(([time, ...fields]) =>
      fields.flatMap((value, index) => {
        if (value === null) return []
        const present = Object.entries(tags).filter(([, tag]) => tag !== '')
        const labels = { _measurement: name, ...Object.fromEntries(present) }
        const held = typeof value === 'boolean' ? String(value) : value
        return [withoutServerTime(lineOf(columns[index + 1] ?? '', labels, Number(time), held))]
      }),
    ),
  )
  return byText(lines)
}

/** The one point without a time got the server's. */
const withoutServerTime = (line: string) => line.replace(/("_measurement","b3"\]\],)\d+/, '$1 0')

describe('/api/v2/write, VictoriaMetrics 1.79', () => {
  let real: RealServer
  let standIn: StandIn
  beforeAll(async () => {
    real = await start(startVictoriaMetrics())
    standIn = await start(startStandIn('influxdb', { org: 'myorg', bucket: 'onec_metrics', onDefect: 'mirror' }))
  })
  const rows = influxdbRows(nowMs, influxV2Path)

  it.each(rows)('$name', async ({ request, status, v2Status, victoriaStatus }) => {
    const expected = v2Status ?? status
    const answer = await sendPlain(real.url, request)
    expect(answer.status, answer.body).toBe(victoriaStatus ?? expected)
    expect((await sendPlain(standIn.url, request)).status).toBe(expected)
  })

  it('holds the same samples of the lines that both take', async () => {
    const both = rows.filter(row => (row.v2Status ?? row.status) === 204 && !row.defect)
    const measurements = new Set(both.map(({ request }) => /^[a-e]\d/.exec(String(request.body))?.[0]).filter(Boolean))
    const mine = ({ name, labels }: { name: string; labels: Readonly<Record<string, string>> }) =>
      measurements.has(labels._measurement ?? name.slice(0, 2))
    // It names series measurement_field, and drops what `db` and `bucket` say.
    const ours = [...standIn.series().values()].filter(mine).flatMap(({ name, labels, samples }) => {
      const { _measurement, ...tags } = labels
      return samples.map(({ atMs, value }) => lineOf(`${_measurement}_${name}`, tags, atMs, value))
    })
    const theirs = prometheusLines(await victoriaExport(real.url, '{__name__!=""}')).filter(line =>
      measurements.has(line.slice(2, 4)),
    )
    expect(byText([...new Set(theirs)])).toEqual(byText(ours))
  })
})
