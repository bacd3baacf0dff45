import { gzipSync } from 'node:zlib'
import type { PlainRequest } from '../http-request.ts'
import type { Row } from './row.ts'

interface LokiRow extends Row {
  /** Entries stored by this row. */
  readonly stored: number
}

const HEADERS = { 'content-type': 'application/json' }
const MINUTE_MS = 60_000
const LABELS = { job: 'onec_backup_bot', host: 'БУХ-1С', level: 'info', tenant: 'ООО Ромашка' }

/** From the source of Loki (grafana/loki main): there is none here to measure. */
export function lokiRows(nowMs: number): LokiRow[] {
  const ns = (agoMinutes = 0) => `${nowMs - agoMinutes * MINUTE_MS}000000`
  const post = (body: unknown, headers: Record<string, string> = HEADERS): PlainRequest => ({
    method: 'POST',
    path: '/loki/api/v1/push',
    headers,
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
  const stream = (labels: Record<string, unknown>, ...values: unknown[]) => ({ streams: [{ stream: labels, values }] })
  const good = (host: string) => stream({ ...LABELS, host }, [ns(), 'Backup completed'])
  const row = (name: string, status: number, stored: number, body: unknown, defect?: RegExp): LokiRow => ({
    name,
    status,
    stored,
    request: post(body),
    ...(defect && { defect }),
  })
  const labels = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, 'x'] as const))
  const metadata = (sizeBytes: number) => ({ path: 'x'.repeat(sizeBytes - 'path'.length) })

  return [
    row('an entry', 204, 1, good('a')),
    row('the same entry again: taken for the same', 204, 1, good('a')),
    row('another line at that time', 204, 1, stream({ ...LABELS, host: 'a' }, [ns(), 'Backup failed'])),
    row(
      'structured metadata',
      204,
      1,
      stream({ ...LABELS, host: 'm' }, [ns(), 'Backup completed', { backup: 'Зарплата 3.1', size_bytes: '1024' }]),
    ),
    row('a newer entry, then one within an hour', 204, 2, stream({ ...LABELS, host: 'o' }, [ns(), 'b'], [ns(59), 'a'])),
    row('one more than an hour behind its stream', 400, 0, stream({ ...LABELS, host: 'o' }, [ns(61), 'late'])),
    row('the same in a stream of its own', 204, 1, stream({ ...LABELS, host: 'o2' }, [ns(61), 'late'])),
    row(
      'late among good ones: the good ones are stored',
      400,
      2,
      stream({ ...LABELS, host: 'o' }, [ns(1), 'x'], [ns(70), 'y'], [ns(2), 'z']),
    ),
    row('almost seven days old', 204, 1, stream({ ...LABELS, host: 'd' }, [ns(7 * 1440 - 1), 'old'])),
    row('more than seven days old', 400, 0, stream({ ...LABELS, host: 'd2' }, [ns(7 * 1440 + 1), 'old'])),
    row('nine minutes ahead', 204, 1, stream({ ...LABELS, host: 'f' }, [ns(-9), 'soon'])),
    row('eleven minutes ahead', 400, 0, stream({ ...LABELS, host: 'f2' }, [ns(-11), 'soon'])),
    row('a line of 256 KB', 204, 1, stream({ ...LABELS, host: 'l' }, [ns(), 'x'.repeat(256 * 1024)])),
    row('a longer line', 400, 0, stream({ ...LABELS, host: 'l2' }, [ns(), 'x'.repeat(256 * 1024 + 1)])),
    row('metadata of 64 KB', 204, 1, stream({ ...LABELS, host: 's' }, [ns(), 'x', metadata(64 * 1024)])),
    row('more metadata', 400, 0, stream({ ...LABELS, host: 's2' }, [ns(), 'x', metadata(64 * 1024 + 1)])),
    row('15 labels', 204, 1, stream(labels(15), [ns(), 'x'])),
    row('16 labels', 400, 0, stream(labels(16), [ns(), 'x'])),
    row('no labels', 400, 0, stream({}, [ns(), 'x'])),
    row('a label name with a dash', 400, 0, stream({ 'a-b': 'x' }, [ns(), 'x'])),
    row('a label that is a number', 400, 0, stream({ a: 1 }, [ns(), 'x'])),
    row('an empty label value', 204, 1, stream({ ...LABELS, host: '' }, [ns(), 'x']), /empty/),
    row('a stream without entries', 204, 0, stream({ ...LABELS, host: 'e' }), /without entries/),
    row('no streams', 422, 0, { streams: [] }),
    row('an empty object', 422, 0, {}),
    row('a number for the time', 400, 0, `{"streams":[{"stream":{"host":"n"},"values":[[${ns()},"x"]]}]}`),
    row('a date for the time', 400, 0, stream({ host: 'n' }, ['2026-11-23T09:00:00Z', 'x'])),
    row('an exponent for the time', 400, 0, stream({ host: 'n' }, ['1.795408705854e+18', 'x'])),
    row('milliseconds for nanoseconds', 400, 0, stream({ host: 'n' }, [String(nowMs), 'x'])),
    row(
      'part of a millisecond',
      204,
      1,
      stream({ ...LABELS, host: 'p' }, [`${nowMs}000128`, 'x']),
      /whole millisecond/,
    ),
    row('a number for the line', 400, 0, stream({ host: 'n' }, [ns(), 1])),
    row('metadata that is no string', 400, 0, stream({ host: 'n' }, [ns(), 'x', { size_bytes: 1024 }])),
    row('nested metadata', 400, 0, stream({ host: 'n' }, [ns(), 'x', { a: { b: 'c' } }])),
    row('four elements', 400, 0, stream({ host: 'n' }, [ns(), 'x', {}, 'y'])),
    row('bad JSON', 400, 0, '{"streams":'),
    { name: 'no content-type', status: 400, stored: 0, request: post(good('h'), {}) },
    {
      name: 'another content-type',
      status: 400,
      stored: 0,
      request: post(good('h'), { 'content-type': 'text/plain' }),
    },
    {
      name: 'content-type with a charset',
      status: 204,
      stored: 1,
      request: post(good('h'), { 'content-type': 'application/json; charset=utf-8' }),
    },
    {
      name: 'gzip',
      status: 204,
      stored: 1,
      request: post(gzipSync(JSON.stringify(good('g'))), { ...HEADERS, 'content-encoding': 'gzip' }),
    },
    {
      name: 'gzip that is none',
      status: 400,
      stored: 0,
      request: post(good('g2'), { ...HEADERS, 'content-encoding': 'gzip' }),
    },
    {
      name: 'an unknown encoding',
      status: 400,
      stored: 0,
      request: post(good('g2'), { ...HEADERS, 'content-encoding': 'br' }),
    },
    { name: 'GET', status: 405, stored: 0, request: { ...post(''), method: 'GET' } },
    { name: 'another path', status: 404, stored: 0, request: { ...post(good('h')), path: '/loki/api/v1/pushes' } },
  ]
}
