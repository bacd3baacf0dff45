import { describe, expect, it } from 'vitest'
import type { FixedBatch, SpoolItem } from '../../../agent/spool/item.ts'
import type { Spool } from '../../../agent/spool/spool.ts'
import { Crash, MemoryDisk } from '../support/memory-files.ts'
import { drain, itemAt, openMemorySpool, START_MS } from '../support/spool.ts'

const append = (spool: Spool, ...items: SpoolItem[]) => items.map(item => spool.append(item, item.atMs))
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => itemAt(from + index))

describe('spool', () => {
  it('ships what was appended, oldest first, across a restart', () => {
    const disk = new MemoryDisk()
    append(openMemorySpool(disk), ...range(0, 7))
    const again = disk.survive('power')
    expect(drain(openMemorySpool(again))).toEqual(range(0, 7))
    expect(openMemorySpool(again.survive('power')).nextBatch()).toBeUndefined()
  })

  it('numbers batches without a gap and repeats one until it is settled', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 5))
    const first = spool.nextBatch()
    append(spool, itemAt(5))
    expect(spool.nextBatch()).toEqual(first)
    spool.settle('another-batch-id')
    expect(openMemorySpool(disk.survive('power')).nextBatch()).toEqual(first)
    spool.settle(first?.id ?? '')
    const second = spool.nextBatch()
    expect([first?.seq, second?.seq]).toEqual([1, 2])
    expect(second?.id).not.toBe(first?.id)
    expect(second?.items).toEqual(range(3, 6))
  })

  it('knows after a restart how far log files were read, by the newest item that says so', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    expect(spool.logs).toBeUndefined()
    append(
      spool,
      { ...itemAt(0), logs: { revision: 1, files: [] } },
      { ...itemAt(1), logs: { revision: 2, files: [] } },
    )
    append(spool, itemAt(2))
    expect(spool.sizeBytes).toBeGreaterThan(300)
    const again = openMemorySpool(disk.survive('power'))
    expect(again.logs).toEqual({ revision: 2, files: [] })
    drain(again)
    expect(again.logs).toBeUndefined()
  })

  it('says what waits behind a batch', () => {
    const spool = openMemorySpool(new MemoryDisk())
    append(spool, itemAt(0))
    const live = spool.nextBatch()
    expect(spool.behind(live?.id ?? '')).toEqual({ batches: 0, oldestAtMs: null })
    append(spool, itemAt(1))
    expect(spool.behind(live?.id ?? '')).toEqual({ batches: 1, oldestAtMs: itemAt(1).atMs })
  })

  it('keeps its id over restarts and gets a new one when its state is gone, the records kept', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 4))
    drain(spool)
    append(spool, ...range(4, 6))
    expect(openMemorySpool(disk.survive('kill')).id).toBe(spool.id)
    const stateless = disk.survive('kill')
    stateless.files.delete('/spool/state')
    const anew = openMemorySpool(stateless)
    expect(anew.id).not.toBe(spool.id)
    expect(anew.dropped).toBe(0)
    expect(drain(anew).slice(-2)).toEqual(range(4, 6))
  })

  it('remembers which report files wait in it', () => {
    const disk = new MemoryDisk()
    append(openMemorySpool(disk), itemAt(0), { ...itemAt(1), reports: ['a.json'] })
    const spool = openMemorySpool(disk.survive('kill'))
    expect(spool.reports).toEqual(['a.json'])
    drain(spool)
    expect(spool.reports).toEqual([])
  })
})

describe('bounds', () => {
  it('drops the oldest by bytes, and counts them over a restart', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk, { maxBytes: 4_000 })
    append(spool, ...range(0, 100))
    const again = openMemorySpool(disk.survive('power'), { maxBytes: 4_000 })
    const left = drain(again)
    expect(left.length).toBeGreaterThan(10)
    expect(left).toEqual(range(100 - left.length, 100))
    expect(again.dropped).toBe(100 - left.length)
    const bytes = [...disk.files]
      .filter(([name]) => name.endsWith('.seg'))
      .reduce((sum, [, file]) => sum + file.now.length, 0)
    expect(bytes).toBeLessThanOrEqual(4_000)
  })

  it('never has a byte more, wherever its records end', () => {
    for (let maxBytes = 4_000; maxBytes < 4_200; maxBytes++) {
      const spool = openMemorySpool(new MemoryDisk(), { maxBytes })
      const sizes = range(0, 60).map(item => append(spool, item) && spool.sizeBytes)
      expect(Math.max(...sizes), `${maxBytes}`).toBeLessThanOrEqual(maxBytes)
    }
  })

  it('drops what is older than its age, and nothing younger', () => {
    const spool = openMemorySpool(new MemoryDisk(), { maxAgeMs: 10 * 60_000 })
    append(spool, ...range(0, 5))
    append(spool, itemAt(13))
    expect(drain(spool)).toEqual([itemAt(3), itemAt(4), itemAt(13)])
    expect(spool.dropped).toBe(3)
  })

  it('gives up a fixed batch whose items it dropped, and takes no late answer for another', () => {
    const spool = openMemorySpool(new MemoryDisk(), { maxAgeMs: 10 * 60_000 })
    append(spool, ...range(0, 2))
    const gone = spool.nextBatch()
    append(spool, itemAt(30))
    spool.settle(gone?.id ?? '')
    expect(spool.nextBatch()).toMatchObject({ seq: 2, items: [itemAt(30)] })
    expect(spool.dropped, 'it was stored: its answer came late').toBe(0)
  })

  it('counts a batch that it gave up on its way when no yes came, and once', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk, { maxAgeMs: 10 * 60_000 })
    append(spool, ...range(0, 2))
    spool.nextBatch()
    append(spool, itemAt(30))
    expect(openMemorySpool(disk.survive('power')).dropped, 'nobody can say after a crash').toBe(2)
    spool.nextBatch()
    expect(spool.dropped).toBe(2)
    spool.nextBatch()
    expect(spool.dropped).toBe(2)
  })

  it('counts the entries that were in what it dropped, each once', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk, { maxAgeMs: 10 * 60_000 })
    const entry = { atMs: START_MS, level: 'info' as const, message: 'строка' }
    const lines = (index: number, count: number): SpoolItem => ({
      atMs: itemAt(index).atMs,
      entries: Array(count).fill(entry),
    })
    append(spool, itemAt(0), lines(0, 2), lines(0, 3), lines(1, 4))
    spool.nextBatch()
    append(spool, itemAt(30))
    // The first three are on their way.
    expect([spool.dropped, spool.droppedEntries]).toEqual([0, 4])
    spool.nextBatch()
    expect([spool.dropped, spool.droppedEntries]).toEqual([1, 9])
    expect(openMemorySpool(disk.survive('power')).droppedEntries).toBe(9)
    spool.countDropped({ snapshots: 1, entries: 5 })
    disk.failing = 'EIO'
    append(spool, lines(31, 7))
    expect([spool.dropped, spool.droppedEntries], 'what was refused waits in its file').toEqual([2, 14])
  })

  it('sends nothing again of a batch that was stored while its first half was dropped', () => {
    const spool = openMemorySpool(new MemoryDisk(), { maxAgeMs: 10 * 60_000 })
    append(spool, itemAt(0), itemAt(9))
    const half = spool.nextBatch()
    append(spool, itemAt(15))
    spool.settle(half?.id ?? '')
    expect(drain(spool)).toEqual([itemAt(15)])
    expect(spool.dropped).toBe(0)
  })
})

describe('a full disk', () => {
  it('keeps what it has, counts what it refuses and goes on when there is room', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 3))
    disk.freeBytes = 10
    expect(append(spool, itemAt(3), itemAt(4))).toEqual([false, false])
    expect(spool.problem).toBe('ENOSPC')
    expect(spool.dropped).toBe(2)
    disk.freeBytes = 10_000
    expect(append(spool, itemAt(5))).toEqual([true])
    expect(spool.problem).toBeUndefined()
    const again = openMemorySpool(disk.survive('power'))
    expect(again.dropped).toBe(2)
    expect(drain(again)).toEqual([...range(0, 3), itemAt(5)])
  })

  it('goes on live while it stays full: a snapshot overwrites what was delivered', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 4))
    drain(spool)
    disk.freeBytes = 0
    for (let index = 4; index < 40; index++) {
      expect(append(spool, itemAt(index)), `item ${index}`).toEqual([true])
      const crashed = openMemorySpool(disk.survive('kill'))
      expect(drain(crashed)).toEqual([itemAt(index)])
      expect(drain(spool)).toEqual([itemAt(index)])
    }
    expect(spool.dropped).toBe(0)
  })

  it('does not take a batch out when its state cannot be written', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 2))
    disk.failing = 'EIO'
    expect(() => spool.nextBatch()).toThrow('EIO')
    disk.failing = undefined
    expect(spool.nextBatch()).toMatchObject({ seq: 1, items: range(0, 2) })
  })
})

describe('files that somebody holds', () => {
  it('stay until they can be removed, and hold up nothing', () => {
    const disk = new MemoryDisk()
    const segments = (of: MemoryDisk) => [...of.files.keys()].filter(name => name.endsWith('.seg')).length
    let held = true
    const remove = (file: string) => {
      if (held) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
      disk.port.remove(file)
    }
    const spool = openMemorySpool(disk, { maxBytes: 4_000, files: { ...disk.port, remove } })
    expect(append(spool, ...range(0, 20))).not.toContain(false)
    expect(drain(spool)).toHaveLength(20)
    append(spool, ...range(20, 60))
    const { dropped } = spool
    expect(dropped).toBeGreaterThan(0)
    const again = disk.survive('kill')
    expect(drain(openMemorySpool(again, { maxBytes: 4_000 }))).toEqual(range(20 + dropped, 60))
    expect(segments(again)).toBe(1)
    held = false
    expect(drain(spool)).toEqual(range(20 + dropped, 60))
    expect(segments(disk)).toBe(1)
  })
})

describe('damage', () => {
  it('loses one record to a changed byte, counts it, and sends no other content under a known id', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 5))
    const fixed = spool.nextBatch()
    const damaged = disk.survive('kill')
    const [, file] = [...damaged.files].find(([name]) => name.endsWith('.seg')) ?? []
    file?.now.writeUInt8(0x7f, 60)
    const again = openMemorySpool(damaged)
    const batch = again.nextBatch()
    expect(batch?.id).not.toBe(fixed?.id)
    expect(again.dropped).toBe(1)
    expect(drain(again)).toEqual(range(1, 5))
    expect(openMemorySpool(damaged.survive('kill')).dropped).toBe(1)
  })

  it('goes on behind a record that went bad after it was opened', () => {
    const disk = new MemoryDisk()
    const spool = openMemorySpool(disk)
    append(spool, ...range(0, 3))
    const [, file] = [...disk.files].find(([name]) => name.endsWith('.seg')) ?? []
    file?.now.writeUInt8(0x7f, 60)
    expect(drain(spool)).toEqual(range(1, 3))
    expect(spool.dropped).toBe(1)
  })

  it('keeps every whole record at every truncation point of its file', () => {
    const disk = new MemoryDisk()
    append(openMemorySpool(disk), ...range(0, 4))
    const [name, file] = [...disk.files].find(([each]) => each.endsWith('.seg')) ?? ['', undefined]
    const size = file?.now.length ?? 0
    const recordBytes = size / 4
    for (let cut = 0; cut <= size; cut++) {
      const torn = disk.survive('kill')
      const content = torn.files.get(name)
      if (content) content.now = content.now.subarray(0, cut)
      const spool = openMemorySpool(torn)
      append(spool, itemAt(9))
      expect(drain(spool), `cut at ${cut}`).toEqual([...range(0, Math.floor(cut / recordBytes)), itemAt(9)])
    }
  })
})

/** What the outside world saw of a run until it crashed. */
interface Witness {
  readonly taken: SpoolItem[]
  readonly settled: SpoolItem[]
  /** Handed out and not known to be settled: the relay may hold it. */
  open: FixedBatch | undefined
}

function live(disk: MemoryDisk, witness: Witness): void {
  const spool = openMemorySpool(disk, { maxBytes: 6_000 })
  for (let index = 0; index < 12; index++) {
    const item = itemAt(index)
    if (spool.append(item, START_MS)) witness.taken.push(item)
    if (index % 3 !== 2) continue
    const batch = spool.nextBatch()
    witness.open = batch
    if (!batch || index === 8) continue
    spool.settle(batch.id)
    witness.settled.push(...batch.items)
    witness.open = undefined
  }
  spool.close()
}

describe('a crash between any two steps', () => {
  it.each(['kill', 'power'] as const)('loses nothing and reorders nothing (%s)', kind => {
    const calm = new MemoryDisk()
    live(calm, { taken: [], settled: [], open: undefined })
    for (let crashAt = 1; crashAt <= calm.calls + 1; crashAt++) {
      const disk = new MemoryDisk()
      disk.crashAt = crashAt
      const witness: Witness = { taken: [], settled: [], open: undefined }
      try {
        live(disk, witness)
      } catch (error) {
        expect(error).toBeInstanceOf(Crash)
      }
      const spool = openMemorySpool(disk.survive(kind))
      const { open } = witness
      const repeated = spool.nextBatch()
      if (open && repeated?.items[0]?.atMs === open.items[0]?.atMs) expect(repeated, `at ${crashAt}`).toEqual(open)
      const rest = drain(spool)
      const owed = witness.taken.filter(item => !witness.settled.some(other => other.atMs === item.atMs))
      const inOrder = rest.map(item => item.atMs)
      expect(inOrder, `at ${crashAt}`).toEqual([...inOrder].sort())
      // A batch whose settling was cut short may be out already; everything else that was taken is there.
      const mayBeGone = open?.items.map(item => item.atMs) ?? []
      for (const item of owed) if (!mayBeGone.includes(item.atMs)) expect(rest, `at ${crashAt}`).toContainEqual(item)
      expect(spool.dropped, `at ${crashAt}`).toBe(0)
    }
  })
})
