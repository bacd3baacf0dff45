import { uncompressSync } from 'snappy'
import type { Exchange } from '../../../support/stand-ins/protocol.ts'
import { remoteWrite } from '../../../support/stand-ins/remote-write.ts'
import { decodeWriteRequest } from '../../../support/stand-ins/remote-write-message.ts'
import { DEFAULT_BOUNDS } from '../../../support/stand-ins/store.ts'

/** What counts the batches in a store, and what makes one unacceptable. */
export const NUMBER = 'onec_timestamp_unix'
export const POISON = 'onec_uptime_seconds'
export const REFUSAL = 'label value too long'

export const MOODS = ['well', 'down', 'shut', 'loses replies', 'throttles'] as const
export type Mood = (typeof MOODS)[number]

/** A strict Prometheus without a network around it; refuses what holds {@link POISON}, takes requests whole or not at all. */
export function farSide() {
  const protocol = remoteWrite({}, DEFAULT_BOUNDS)

  /** Stores what a real one would store of it. */
  function take(body: Uint8Array): { status: number; text: string } {
    const bytes = Buffer.from(body)
    const { timeseries } = decodeWriteRequest(Buffer.from(uncompressSync(bytes)))
    if (timeseries.some(({ labels }) => labels.some(({ value }) => value === POISON)))
      return { status: 400, text: REFUSAL }
    const exchange = { method: 'POST', path: '/api/v1/write', query: new URLSearchParams(), headers: HEADERS, nowMs: 0 }
    const verdict = protocol.judge({ ...exchange, body: bytes } as Exchange)
    verdict.commit?.()
    return { status: verdict.answer.status, text: verdict.answer.body ?? '' }
  }

  return {
    mood: 'well' as Mood,
    take,
    answer(body: Uint8Array): Response {
      if (this.mood === 'down') return new Response('down', { status: 503 })
      if (this.mood === 'shut') return new Response('no such key', { status: 401 })
      if (this.mood === 'throttles') return new Response('', { status: 429, headers: { 'Retry-After': '7' } })
      const { status, text } = take(body)
      if (this.mood === 'loses replies') throw new TypeError('fetch failed: socket closed')
      return new Response(status === 204 ? null : text, { status })
    },
    /** `host atMs` of every batch that it holds. */
    held(): Set<string> {
      const series = [...protocol.store.series().values()].filter(({ name }) => name === NUMBER)
      return new Set(series.flatMap(({ labels, samples }) => samples.map(({ atMs }) => `${labels.instance} ${atMs}`)))
    },
  }
}

const HEADERS = {
  'content-encoding': 'snappy',
  'content-type': 'application/x-protobuf',
  'x-prometheus-remote-write-version': '0.1.0',
  'user-agent': 'onec-relay/1',
}
