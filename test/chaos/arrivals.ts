import { gunzipSync } from 'node:zlib'
import type { Exchange, StandInKind } from '../support/stand-ins/protocol.ts'

/** One snapshot of one host, as a request brought it. */
export interface Arrival {
  readonly tenant: string
  readonly name: string
  readonly atMs: number
}

/**
 * The snapshots of hosts in a request, in its order. Only for stores that sort by themselves: remote write refuses what
 * is out of order, and a Pushgateway has no time.
 */
export function arrivalsIn(kind: StandInKind, { body, headers }: Pick<Exchange, 'body' | 'headers'>): Arrival[] {
  if (kind !== 'influxdb' && kind !== 'loki') return []
  const text = (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
  return kind === 'influxdb' ? text.split('\n').flatMap(ofLine) : ofStreams(text)
}

/** The point with the plain metrics stands for its snapshot. */
function ofLine(line: string): Arrival[] {
  if (!line.includes('timestamp_unix=')) return []
  const [series = '', , time = ''] = line.split(/(?<!\\) /)
  const tags = Object.fromEntries(series.split(/(?<!\\),/).map(tag => tag.split(/(?<!\\)=/)))
  return [{ tenant: unescaped(tags.tenant), name: unescaped(tags.host), atMs: Number(time) }]
}

const unescaped = (text: string | undefined) => (text ?? '').replace(/\\([ ,=])/g, '$1')

interface Push {
  readonly streams: readonly { stream: Record<string, string>; values: readonly [string, ...unknown[]][] }[]
}

function ofStreams(text: string): Arrival[] {
  return (JSON.parse(text) as Push).streams.flatMap(({ stream, values }) =>
    stream.source === 'relay'
      ? []
      : values.map(([ns]) => ({
          tenant: stream.tenant ?? '',
          name: stream.host ?? '',
          atMs: Number(BigInt(ns) / 1_000_000n),
        })),
  )
}
