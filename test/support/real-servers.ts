import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { freePort, launch, type RealServer, requireBinary } from './real-server-process.ts'

export { freePort, type RealServer, requireBinary } from './real-server-process.ts'

const REQUEST_TIMEOUT_MS = 10_000

export interface PrometheusOptions {
  /** `storage.tsdb.out_of_order_time_window`, for example `2h`; absent: none, Prometheus' default. */
  readonly outOfOrderWindow?: string
  /** Targets to scrape every second with `honor_labels`; absent: nothing is scraped. */
  readonly scrape?: readonly ScrapeTarget[]
}

/** `host:port`, with the token that it wants if any. */
export type ScrapeTarget = string | { readonly target: string; readonly bearerToken: string }

/** Prometheus with the remote-write receiver at `/api/v1/write`. */
export function startPrometheus(options: PrometheusOptions = {}): Promise<RealServer> {
  const targets = (options.scrape ?? []).map(one => (typeof one === 'string' ? { target: one } : one))
  const scrape = targets.map(
    (one, index) =>
      `  - job_name: target${index}\n    honor_labels: true\n    scrape_interval: 1s\n    scrape_timeout: 1s\n` +
      ('bearerToken' in one ? `    authorization: { credentials_file: target${index}.token }\n` : '') +
      `    static_configs: [{ targets: ['${one.target}'] }]\n`,
  )
  const tokens = targets.flatMap((one, index) =>
    'bearerToken' in one ? [[`target${index}.token`, one.bearerToken]] : [],
  )
  const window = options.outOfOrderWindow
  const config =
    `scrape_configs:\n${scrape.join('') || '  []\n'}` +
    (window ? `storage:\n  tsdb:\n    out_of_order_time_window: ${window}\n` : '')
  return launch({
    binary: 'prometheus',
    debianPackage: 'prometheus',
    readyPath: '/-/ready',
    files: () => ({ 'prometheus.yml': config, ...Object.fromEntries(tokens) }),
    args: (directory, port) => [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--log.level=warn',
    ],
  })
}

/** Debian's package persists to a system path by default; this one persists into its own directory. */
export function startPushgateway(): Promise<RealServer> {
  return launch({
    binary: 'prometheus-pushgateway',
    debianPackage: 'prometheus-pushgateway',
    readyPath: '/-/ready',
    args: (directory, port) => [
      `--web.listen-address=127.0.0.1:${port}`,
      `--persistence.file=${join(directory, 'pushgateway.data')}`,
      '--log.level=warn',
    ],
  })
}

/** Takes remote write at `/api/v1/write`, line protocol at `/write` and `/api/v2/write`. */
export function startVictoriaMetrics(): Promise<RealServer> {
  return launch({
    binary: 'victoria-metrics',
    debianPackage: 'victoria-metrics',
    readyPath: '/health',
    args: (directory, port) => [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${join(directory, 'data')}`,
      '-retentionPeriod=100y',
      '-search.latencyOffset=0s',
      '-search.disableCache',
      '-memory.allowedPercent=10',
      '-loggerLevel=WARN',
    ],
  })
}

/** InfluxDB 1.6: `/write?db=` and `/query`; its `/api/v2/write` is a 404. Holds the database `onec`. */
export async function startInfluxdb(): Promise<RealServer> {
  const rpcPort = await freePort()
  const server = await launch({
    binary: 'influxd',
    debianPackage: 'influxdb',
    readyPath: '/ping',
    files: (directory, port) => ({
      'influxdb.conf': [
        'reporting-disabled = true',
        `bind-address = "127.0.0.1:${rpcPort}"`,
        `[meta]\n  dir = "${directory}/meta"`,
        `[data]\n  dir = "${directory}/data"\n  wal-dir = "${directory}/wal"`,
        `[http]\n  bind-address = "127.0.0.1:${port}"\n  log-enabled = false`,
        '[monitor]\n  store-enabled = false',
        '[subscriber]\n  enabled = false',
        '[logging]\n  level = "warn"',
        '',
      ].join('\n'),
    }),
    args: directory => ['-config', join(directory, 'influxdb.conf')],
  })
  try {
    await influxQuery(server.url, 'CREATE DATABASE onec')
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

export function startNodeExporter(): Promise<RealServer> {
  return launch({
    binary: 'prometheus-node-exporter',
    debianPackage: 'prometheus-node-exporter',
    readyPath: '/metrics',
    args: (_directory, port) => [`--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'],
  })
}

async function get(url: string): Promise<string> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
  const body = await reply.text()
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}: ${body.slice(0, 300)}`)
  return body
}

/** One series of a query's result. Values are numbers; a `NaN` or `Inf` reads as JavaScript's. */
export interface HeldSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly { readonly atMs: number; readonly value: number }[]
}

type PrometheusPoint = readonly [seconds: number, value: string]
interface PrometheusReply {
  readonly data: {
    readonly result: readonly {
      readonly metric: Record<string, string>
      readonly value?: PrometheusPoint
      readonly values?: readonly PrometheusPoint[]
    }[]
  }
}

async function queryPrometheus(url: string, path: string, query: Record<string, string>): Promise<HeldSeries[]> {
  const reply = JSON.parse(await get(`${url}${path}?${new URLSearchParams(query)}`)) as PrometheusReply
  return reply.data.result.map(({ metric, value, values }) => ({
    labels: metric,
    samples: (values ?? (value ? [value] : [])).map(([seconds, text]) => ({
      atMs: Math.round(seconds * 1000),
      value: text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text),
    })),
  }))
}

/** `GET /api/v1/query`, also of VictoriaMetrics. A range selector (`up[1h]`) gives the raw samples. */
export function prometheusQuery(url: string, expression: string, atMs?: number): Promise<HeldSeries[]> {
  return queryPrometheus(url, '/api/v1/query', {
    query: expression,
    ...(atMs !== undefined && { time: String(atMs / 1000) }),
  })
}

/** `GET /api/v1/query_range`, also of VictoriaMetrics. */
export function prometheusRange(
  url: string,
  expression: string,
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): Promise<HeldSeries[]> {
  return queryPrometheus(url, '/api/v1/query_range', {
    query: expression,
    start: String(range.fromMs / 1000),
    end: String(range.toMs / 1000),
    step: String(range.stepMs / 1000),
  })
}

/** Every raw sample of the series that `selector` names, from VictoriaMetrics' `/api/v1/export`. */
export async function victoriaExport(url: string, selector: string): Promise<HeldSeries[]> {
  // What was just written is searchable only after a flush (documented for tests).
  await get(`${url}/internal/force_flush`)
  const lines = (await get(`${url}/api/v1/export?${new URLSearchParams({ 'match[]': selector })}`)).split('\n')
  return lines.filter(Boolean).map(line => {
    // Its lines hold bare +Inf and -Inf, which is not JSON; 1e999 reads as infinity.
    const readable = line.replace(
      /([[,])\+?(-?)Inf(?=[,\]])/g,
      (_, before: string, sign: string) => `${before}${sign}1e999`,
    )
    const { metric, values, timestamps } = JSON.parse(readable) as {
      metric: Record<string, string>
      values: (number | null)[]
      timestamps: number[]
    }
    return { labels: metric, samples: timestamps.map((atMs, index) => ({ atMs, value: values[index] ?? Number.NaN })) }
  })
}

/** The text exposition of `GET /metrics`, of a Pushgateway or a node exporter. */
export function readMetricsPage(url: string): Promise<string> {
  return get(`${url}/metrics`)
}

/** What `promtool check metrics` says of an exposition: errors are fatal (`exitCode` 1), lint is not (3). */
export function promtoolCheckMetrics(exposition: string): { readonly exitCode: number; readonly output: string } {
  const promtool = requireBinary('promtool', 'prometheus')
  const run = spawnSync(promtool, ['check', 'metrics'], { input: exposition, encoding: 'utf8', timeout: 20_000 })
  return { exitCode: run.status ?? -1, output: `${run.stdout}${run.stderr}` }
}

/** One series of InfluxQL's answer. */
export interface InfluxSeries {
  readonly name: string
  readonly tags?: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: readonly (readonly (string | number | boolean | null)[])[]
}

/** InfluxDB 1.x `/query`; times in the answer are epoch milliseconds. */
export async function influxQuery(url: string, query: string, database = 'onec'): Promise<readonly InfluxSeries[]> {
  const search = new URLSearchParams({ q: query, db: database, epoch: 'ms' })
  const reply = await fetch(`${url}/query?${search}`, {
    method: 'POST',
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  const body = (await reply.json()) as {
    results?: { series?: InfluxSeries[]; error?: string }[]
    error?: string
  }
  const error = body.error ?? body.results?.find(result => result.error)?.error
  if (error) throw new Error(`InfluxDB refused "${query}": ${error}`)
  return body.results?.flatMap(result => result.series ?? []) ?? []
}
