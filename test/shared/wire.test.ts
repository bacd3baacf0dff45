import { describe, expect, test } from 'vitest'
import { RESERVED_LABELS } from '../../shared/host-config.ts'
import { METRICS } from '../../shared/metrics.ts'
import { ackSchema, enrolRequest, LIMITS, MAX_GRANT_MS, readBatch, utf8Length } from '../../shared/wire.ts'

const NOW = 1_795_408_705_854
const ID = 'q0V1nAbC-_xyz019'

const SNAPSHOT = { atMs: NOW, monoMs: 1, metrics: { onec_cpu_percent: 45.2 } }
const ENTRY = { atMs: NOW, level: 'info', message: 'Backup completed', fields: { backup: 'Зарплата 3.1' } }
const BACKUP = {
  name: 'Зарплата 3.1',
  state: 'ok',
  source: 'run',
  reason: null,
  startedAtMs: NOW,
  completedAtMs: NOW,
  sizeBytes: 1e12,
  durationMs: 5,
  dueAtMs: null,
}

const BATCH = {
  v: 1,
  id: ID,
  seq: 0,
  sentAtMs: NOW,
  agent: { version: '1.0.0', os: 'Windows Server 2022', hostname: 'БУХ-1С', intervalMs: 60_000, bootId: 'b1' },
  snapshots: [SNAPSHOT],
  backups: [BACKUP],
  entries: [ENTRY],
  spool: { id: ID, pendingBatches: 0, oldestAtMs: null, droppedSnapshots: 0 },
}

const codeOf = (body: unknown) => {
  const reading = readBatch(body)
  return reading.ok ? 'ok' : reading.code
}

const withSnapshot = (more: object) => ({ ...BATCH, snapshots: [{ ...SNAPSHOT, ...more }] })
const withSeries = (labels: unknown, value: unknown = 1, name = 'onec_volume_free_bytes') =>
  withSnapshot({ series: [{ name, labels, value }] })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]))

test('a whole batch, and one with the least', () => {
  expect(readBatch(BATCH)).toEqual({ ok: true, batch: BATCH })
  const { backups, entries, ...least } = BATCH
  expect(codeOf({ ...least, snapshots: [] })).toBe('ok')
})

test('unknown keys are ignored wherever they are', () => {
  const more = { ...BATCH, new: 1, agent: { ...BATCH.agent, new: 1 }, snapshots: [{ ...SNAPSHOT, new: [] }] }
  expect(readBatch(more)).toEqual({ ok: true, batch: BATCH })
})

test.each([
  ['no object', null, 'batch_invalid'],
  ['a list', [], 'batch_invalid'],
  ['text', 'batch', 'batch_invalid'],
  ['no version', { ...BATCH, v: undefined }, 'version_unsupported'],
  ['another version', { ...BATCH, v: 2 }, 'version_unsupported'],
  ['a version in quotes', { ...BATCH, v: '1' }, 'version_unsupported'],
  ['a short id', { ...BATCH, id: 'short' }, 'batch_invalid'],
  ['an id with another alphabet', { ...BATCH, id: 'q0V1nAbC+/xyz019' }, 'batch_invalid'],
  ['a negative seq', { ...BATCH, seq: -1 }, 'batch_invalid'],
  ['a clock that is not set', { ...BATCH, sentAtMs: 5 }, 'batch_invalid'],
  ['snapshots that are no list', { ...BATCH, snapshots: {} }, 'batch_invalid'],
  ['a snapshot that is null', { ...BATCH, snapshots: [null] }, 'batch_invalid'],
  ['a snapshot of before 2020', withSnapshot({ atMs: 1_577_836_799_999 }), 'batch_invalid'],
  ['a snapshot of after 2100', withSnapshot({ atMs: 4_102_444_800_001 }), 'batch_invalid'],
  ['no metrics', withSnapshot({ metrics: undefined }), 'batch_invalid'],
  ['metrics that are a list', withSnapshot({ metrics: [1] }), 'batch_invalid'],
  ['a metric that is text', withSnapshot({ metrics: { a: '1' } }), 'value_not_finite'],
  ['a metric that is null', withSnapshot({ metrics: { a: null } }), 'value_not_finite'],
  ['NaN', withSnapshot({ metrics: { a: Number.NaN } }), 'value_not_finite'],
  ['infinity', withSnapshot({ metrics: { a: JSON.parse('1e999') } }), 'value_not_finite'],
  ['a series that is NaN', withSeries({}, Number.NaN), 'value_not_finite'],
  ['an empty metric name', withSnapshot({ metrics: { '': 1 } }), 'metric_name_invalid'],
  ['a name that begins with a digit', withSnapshot({ metrics: { '1c_sessions': 1 } }), 'metric_name_invalid'],
  ['a Cyrillic metric name', withSnapshot({ metrics: { метрика: 1 } }), 'metric_name_invalid'],
  ['a name with a line feed', withSnapshot({ metrics: { 'a\n': 1 } }), 'metric_name_invalid'],
  ['a name of 129 characters', withSnapshot({ metrics: { ['a'.repeat(129)]: 1 } }), 'metric_name_invalid'],
  ['a bad name of a series', withSeries({}, 1, 'a b'), 'metric_name_invalid'],
  ['a reserved name of a series', withSeries({}, 1, 'onec_host_up'), 'metric_name_reserved'],
  ['a label of the relay’s', withSeries({ tenant: 'x' }), 'label_reserved'],
  ['a label of Prometheus’ own', withSeries({ __name__: 'x' }), 'label_reserved'],
  ['a bad label name', withSeries({ 'a-b': 'x' }), 'label_invalid'],
  ['an empty label value', withSeries({ volume: '' }), 'label_invalid'],
  ['a label value with a line feed', withSeries({ volume: 'a\nb' }), 'label_invalid'],
  ['half a character', withSeries({ volume: '\ud800' }), 'label_invalid'],
  ['a label value of 1,025 characters', withSeries({ volume: 'x'.repeat(1_025) }), 'label_invalid'],
  ['11 labels', withSeries(Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`l${i}`, 'x']))), 'label_invalid'],
  ['labels that are no text', withSeries({ volume: 7 }), 'batch_invalid'],
  ['a backup state of a stranger', { ...BATCH, backups: [{ ...BACKUP, state: 'great' }] }, 'batch_invalid'],
  ['a backup without a name', { ...BATCH, backups: [{ ...BACKUP, name: ' ' }] }, 'batch_invalid'],
  ['51 backups', { ...BATCH, backups: Array(51).fill(BACKUP) }, 'batch_invalid'],
  ['an entry without a message', { ...BATCH, entries: [{ ...ENTRY, message: '' }] }, 'batch_invalid'],
  ['an entry of another level', { ...BATCH, entries: [{ ...ENTRY, level: 'fatal' }] }, 'batch_invalid'],
  ['an entry that is null', { ...BATCH, entries: [null] }, 'batch_invalid'],
  ['fields that nest', { ...BATCH, entries: [{ ...ENTRY, fields: { a: {} } }] }, 'batch_invalid'],
  ['an interval of a day', { ...BATCH, agent: { ...BATCH.agent, intervalMs: 86_400_000 } }, 'batch_invalid'],
  ['a spool of nobody', { ...BATCH, spool: undefined }, 'batch_invalid'],
])('%s', (_, body, code) => {
  expect(codeOf(body)).toBe(code)
})

test.each(Object.keys(METRICS).filter(name => METRICS[name as 'onec_host_up'].origin === 'relay'))(
  'an agent cannot send %s',
  name => {
    expect(codeOf(withSnapshot({ metrics: { [name]: 1 } }))).toBe('metric_name_reserved')
  },
)

test.each([...RESERVED_LABELS])('an agent cannot send the label %s', name => {
  expect(codeOf(withSeries({ [name]: 'x' }))).toBe('label_reserved')
})

describe('limits, on both sides', () => {
  test.each([
    ['snapshots', (n: number) => ({ ...BATCH, snapshots: Array(n).fill(SNAPSHOT) }), 120, 'too_many_snapshots'],
    ['metrics of a snapshot', (n: number) => withSnapshot({ metrics: many(n) }), 300, 'too_many_series'],
    [
      'metrics and series of a snapshot',
      (n: number) => withSnapshot({ series: Array(n - 1).fill({ name: 'a', labels: { volume: 'C:' }, value: 1 }) }),
      300,
      'too_many_series',
    ],
    ['entries', (n: number) => ({ ...BATCH, entries: Array(n).fill(ENTRY) }), 500, 'too_many_entries'],
    [
      'bytes of a line',
      (n: number) => ({ ...BATCH, entries: [ENTRY, { ...ENTRY, message: 'x'.repeat(n) }] }),
      65_536,
      'entry_too_long',
    ],
    [
      'bytes of a Cyrillic line',
      (n: number) => ({ ...BATCH, entries: [{ ...ENTRY, message: 'Ж'.repeat(32_767) + 'x'.repeat(n - 65_534) }] }),
      65_536,
      'entry_too_long',
    ],
  ] as const)('%s', (_, bodyOf, most, code) => {
    expect(codeOf(bodyOf(most))).toBe('ok')
    expect(codeOf(bodyOf(most + 1))).toBe(code)
  })

  test('what is over a limit is not looked at any further', () => {
    expect(codeOf({ ...BATCH, id: 7, snapshots: Array(121).fill('nonsense') })).toBe('too_many_snapshots')
  })
})

test('a refusal names the place, and quotes no more than a little of what was sent', () => {
  const reading = readBatch(withSnapshot({ metrics: { good: 1, [`bad ${'x'.repeat(10_000)}`]: 1 } }))
  expect(reading).toMatchObject({ ok: false, detail: expect.stringContaining('snapshots.0.metrics') })
  expect(JSON.stringify(reading).length).toBeLessThan(400)
})

test('utf8Length counts what an encoder writes', () => {
  for (const text of ['', 'abc', 'Жук', '日本', '😀x', '\ud800', 'a\udc00b'])
    expect(utf8Length(text), text).toBe(new TextEncoder().encode(text).length)
})

test('an acknowledgement is at most 200 bytes, whatever it says', () => {
  const ack = { id: ID, status: 'duplicate', nextInMs: MAX_GRANT_MS, config: Number.MAX_SAFE_INTEGER }
  expect(ackSchema.safeParse(ack).success).toBe(true)
  expect(JSON.stringify(ack).length).toBeLessThanOrEqual(200)
  expect(ackSchema.safeParse({ ...ack, nextInMs: MAX_GRANT_MS + 1 }).success).toBe(false)
  expect(ackSchema.parse({ ...ack, new: 1 })).toEqual(ack)
})

test('the limits are those that agents in the field know', () => {
  expect(LIMITS).toEqual({
    compressedBytes: 65_536,
    inflatedBytes: 262_144,
    snapshots: 120,
    seriesPerSnapshot: 300,
    entries: 500,
    entryBytes: 65_536,
    backups: 50,
  })
})

test('an enrolment names its machine, in any script', () => {
  const request = { code: '7K2M-0QXR-9TBD-4HWE', hostname: 'БУХ-1С', os: '', version: '1.0.0', machineId: 'machine-1' }
  expect(enrolRequest.parse({ ...request, new: 1 })).toEqual(request)
  for (const bad of [{ code: 'short' }, { hostname: '' }, { machineId: '1' }, { name: 'a\nb' }])
    expect(enrolRequest.safeParse({ ...request, ...bad }).success).toBe(false)
})
