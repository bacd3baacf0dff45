import { describe, expect, it } from 'vitest'
import { type PackInput, packItems } from '../../../agent/logs/pack.ts'
import type { FilePosition } from '../../../agent/logs/position.ts'
import type { FileReading } from '../../../agent/logs/read.ts'
import type { Step } from '../../../agent/logs/select.ts'
import { compress, cutBatch, wireBatch } from '../../../agent/spool/batch.ts'
import { SEED_HOST_METRICS } from '../../../shared/metrics.ts'
import { type Entry, LIMITS, readBatch } from '../../../shared/wire.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { itemAt, START_MS } from '../support/spool.ts'

const random = seededRandom(4)
const noise = (chars: number) =>
  Array.from({ length: chars }, () => String.fromCharCode(0x410 + Math.floor(random() * 64))).join('')

const position = (id: number): FilePosition => ({
  ...{ id, source: '/логи/*.log', path: `/логи/${id}.log`, identity: `1:${id}`, headBytes: 0, headCrc: 0 },
  ...{ offset: 1_000, skipping: false, encoding: null, lastAtMs: null, mtimeMs: 0, seenAtMs: START_MS },
})

function readingOf(id: number, messages: readonly string[], more: Partial<Entry> = {}): FileReading {
  const steps = messages.map((message, index): Step => {
    const entry: Entry = {
      atMs: START_MS + index,
      level: 'info',
      message,
      fields: { file: `/логи/${id}.log` },
      ...more,
    }
    return { entry, place: { offset: 1_000 + (index + 1) * 100, skipping: false }, leftOut: 0, notice: false }
  })
  const end = { offset: 1_000 + messages.length * 100 + 7, skipping: false }
  return { position: position(id), steps, end, leftOut: 0, passedBytes: 0, sizeBytes: 1e6, encoding: 'utf-8' }
}

const pack = (readings: readonly FileReading[], more: Partial<PackInput> = {}) =>
  packItems({
    ...{ base: itemAt(0), readings, moreItems: 8, newest: {}, readAtMs: START_MS, revision: 41, unsaved: [] },
    ...more,
  })
const messages = (parcels: ReturnType<typeof pack>) =>
  parcels.flatMap(({ item }) => (item.entries ?? []).map(entry => entry.message))

const envelope = {
  sentAtMs: START_MS,
  agent: { version: '0.1.0', os: 'Windows', hostname: 'БУХ-1С', intervalMs: 60_000, bootId: 'b' },
  spool: { id: 'AAAAAAAAAAAAAAAA', pendingBatches: 3, oldestAtMs: START_MS, droppedSnapshots: 0 },
}

describe('packItems', () => {
  it('leaves a snapshot without entries as it is', () => {
    expect(pack([])).toEqual([{ item: itemAt(0), tallies: [] }])
  })

  it('puts a few entries beside the snapshot, with where their file is read on', () => {
    const [parcel, ...others] = pack([readingOf(1, ['один', 'два'])])
    expect(others).toEqual([])
    expect(parcel?.item).toMatchObject({
      snapshot: itemAt(0).snapshot,
      entries: [{ message: 'один' }, { message: 'два' }],
      logs: { revision: 42, files: [{ ...position(1), offset: 1_207, lastAtMs: START_MS + 1 }] },
    })
    expect(parcel?.tallies).toEqual([{ id: 1, entries: 2, leftOut: 0, passedBytes: 0, told: false }])
  })

  it('moves on in a file whose lines are all passed over', () => {
    const [parcel] = pack([readingOf(1, [])])
    expect(parcel?.item.entries).toBeUndefined()
    expect(parcel?.item.logs?.files).toMatchObject([{ id: 1, offset: 1_007 }])
  })

  it('makes more items of many entries, each whole in itself and small on the wire', () => {
    const metrics = Object.fromEntries(SEED_HOST_METRICS.map((name, at) => [name, Math.sin(at) * 1e6]))
    const base = { ...itemAt(0), snapshot: { atMs: START_MS, monoMs: 1, metrics } }
    const texts = Array.from({ length: 300 }, (_, index) => `${index} ${noise(60)}`)
    const parcels = pack([readingOf(1, texts.slice(0, 200)), readingOf(2, texts.slice(200))], { base, moreItems: 50 })
    expect(parcels.length).toBeGreaterThan(4)
    expect(messages(parcels)).toEqual(texts)
    expect(parcels.map(({ item }) => item.logs?.revision)).toEqual(parcels.map((_, index) => 42 + index))
    for (const { item } of parcels) {
      const wire = wireBatch({ id: 'BBBBBBBBBBBBBBBB', seq: 1, items: [item] }, envelope)
      expect(compress(wire).length).toBeLessThan(5_000)
      expect(readBatch(JSON.parse(JSON.stringify(wire))).ok).toBe(true)
    }
    // Positions follow the entries item by item.
    let taken = 0
    for (const { item } of parcels) {
      const own = (item.entries ?? []).length
      taken += own
      const of1 = Math.min(taken, 200)
      const known = item.logs?.files.find(file => file.id === 1)
      expect(known?.offset ?? 1_000).toBe(of1 === 200 ? 21_007 : 1_000 + of1 * 100)
    }
    // The newest item alone is what a restart goes by.
    expect(parcels.at(-1)?.item.logs?.files).toMatchObject([
      { id: 1, offset: 21_007 },
      { id: 2, offset: 11_007 },
    ])
  })

  it('leaves what does not fit in its file', () => {
    const texts = Array.from({ length: 300 }, (_, index) => `${index} ${noise(60)}`)
    const parcels = pack([readingOf(1, texts)], { moreItems: 1 })
    expect(parcels).toHaveLength(2)
    const found = messages(parcels)
    expect(found).toEqual(texts.slice(0, found.length))
    expect(parcels[1]?.item.logs?.files).toMatchObject([{ offset: 1_000 + found.length * 100 }])
  })

  it('cuts an entry that alone is more than an exchange may carry', () => {
    const parcels = pack([readingOf(1, ['перед', noise(32_000), 'после'])])
    const [first, long = '', ...rest] = messages(parcels)
    expect([first, ...rest]).toEqual(['перед', 'после'])
    expect(long.endsWith(' … [cut]')).toBe(true)
    expect(long.length).toBeGreaterThan(2_000)
    for (const { item } of parcels)
      expect(compress(wireBatch({ id: 'BBBBBBBBBBBBBBBB', seq: 1, items: [item] }, envelope)).length).toBeLessThan(
        5_000,
      )
  })

  it('takes a long entry whole when it compresses well', () => {
    const text = 'ERROR одно и то же '.repeat(3_000)
    expect(messages(pack([readingOf(1, [text])]))).toEqual([text])
  })

  it('stays within the number of entries and the inflated size', () => {
    const parcels = pack([readingOf(1, Array(1_200).fill('x')), readingOf(2, Array(8).fill('я'.repeat(30_000)))])
    for (const { item } of parcels) {
      expect(item.entries?.length ?? 0).toBeLessThanOrEqual(LIMITS.entries)
      expect(Buffer.byteLength(JSON.stringify(item))).toBeLessThan(LIMITS.inflatedBytes / 2 + 64 * 1024)
    }
  })

  it('makes items that batches are cut from within every limit', () => {
    const items = Array.from({ length: 20 }, (_, minute) =>
      pack(
        [
          readingOf(
            1,
            Array.from({ length: 100 }, () => noise(40)),
          ),
        ],
        { base: itemAt(minute) },
      ).map(each => each.item),
    ).flat()
    for (let at = 0; at < items.length; ) {
      const count = cutBatch(items.slice(at))
      const wire = wireBatch({ id: 'BBBBBBBBBBBBBBBB', seq: 1, items: items.slice(at, at + count) }, envelope)
      expect(compress(wire).length).toBeLessThan(5_000)
      expect(readBatch(JSON.parse(JSON.stringify(wire))).ok).toBe(true)
      at += count
    }
  })

  it('gives what is too far behind its stream the time of now, and keeps its own beside', () => {
    const hour = 3_600_000
    const old = readingOf(1, ['старая'], { atMs: START_MS - 2 * hour })
    const [parcel] = pack([old, readingOf(2, ['ERROR'], { atMs: START_MS - 2 * hour, level: 'error' })], {
      newest: { info: START_MS },
    })
    expect(parcel?.item.entries).toMatchObject([
      { atMs: START_MS, fields: { time: new Date(START_MS - 2 * hour).toISOString() } },
      { atMs: START_MS - 2 * hour, level: 'error' },
    ])
    expect(parcel?.item.entries?.[1]?.fields).not.toHaveProperty('time')
    // The file's own order goes by its own times.
    expect(parcel?.item.logs?.files[0]?.lastAtMs).toBe(START_MS - 2 * hour)
  })

  it('forgets what a clock said that was far ahead', () => {
    const reading = readingOf(1, ['x'], { atMs: START_MS - 1 })
    const [parcel] = pack([reading], { newest: { info: START_MS + 365 * 86_400_000 } })
    expect(parcel?.item.entries?.[0]).toMatchObject({ atMs: START_MS - 1 })
  })

  it('counts what was left out with the steps that it came before', () => {
    const reading = readingOf(1, ['один', 'два'])
    const [one, two] = reading.steps
    if (!one || !two) throw new Error('no steps')
    const notice: Step = { ...two, leftOut: 0, notice: true }
    const steps = [{ ...one, leftOut: 3 }, { ...two, leftOut: 4 }, notice]
    const [parcel] = pack([{ ...reading, steps, leftOut: 5, passedBytes: 6 }])
    expect(parcel?.tallies).toEqual([{ id: 1, entries: 2, leftOut: 12, passedBytes: 6, told: true }])
  })

  it('repeats positions that no state file has heard of', () => {
    const [parcel] = pack([readingOf(1, ['x'])], { unsaved: [position(1), position(9)] })
    expect(parcel?.item.logs?.files.map(({ id, offset }) => [id, offset])).toEqual([
      [1, 1_107],
      [9, 1_000],
    ])
  })
})
