import { koffi } from './koffi.ts'
import { fillBuffer, foreign, type Handle, readAddress, readWide, WindowsError } from './library.ts'

/** All instances of one counter, as PdhGetRawCounterArrayW writes them. */
export interface RawCounterArray {
  readonly bytes: Buffer
  readonly count: number
  /** Where `bytes` lay: the names in it are pointers into it. */
  readonly address: bigint
}

/** A query of the performance counters; it stays open, as adding a counter is what costs. */
export interface PdhQuery {
  /** Reads all counters of the query; may take long, and fails with a WindowsError. */
  collect(): Promise<void>
  /** Of a path with a wildcard: what the last `collect` read. */
  rawArray(path: string): Promise<RawCounterArray>
  /** Of a path without: the value as Windows computes it. Only for what one reading is enough for. */
  formatted(path: string): number
  close(): void
}

/** Paths are in English on every system: `\PhysicalDisk(*)\Disk Reads/sec`. Fails when one of them is not there. */
export async function openPdhQuery(paths: readonly string[]): Promise<PdhQuery> {
  const query = await openQuery()
  const counters = new Map<string, Handle>()
  try {
    for (const path of paths) counters.set(path, await addCounter(query, path))
  } catch (error) {
    pdhCloseQuery(query)
    throw error
  }
  const handleOf = (path: string): Handle => counters.get(path) ?? 0
  return {
    async collect() {
      check('PdhCollectQueryData', (await pdhCollectQueryData.later(query)).result)
    },
    rawArray: path => readRawArray(handleOf(path)),
    formatted: path => readFormatted(handleOf(path)),
    close: () => {
      pdhCloseQuery(query)
    },
  }
}

const NEW_DATA = 1
const ITEM_BYTES = 48

/** First value by instance: PDH_RAW_COUNTER_ITEM_W of pdh.h. An instance without valid data is left out. */
export function parseRawArray({ bytes, count, address }: RawCounterArray): Map<string, number> {
  const values = new Map<string, number>()
  for (let at = 0; at + ITEM_BYTES <= Math.min(bytes.length, count * ITEM_BYTES); at += ITEM_BYTES) {
    const name = Number(bytes.readBigUInt64LE(at) - address)
    const valid = bytes.readUInt32LE(at + 8) <= NEW_DATA
    if (valid && name >= 0 && name < bytes.length)
      values.set(readWide(bytes, name), Number(bytes.readBigInt64LE(at + 24)))
  }
  return values
}

const pdhOpenQuery = foreign<[source: null, user: number, query: Buffer]>(
  'pdh.dll',
  'uint32_t PdhOpenQueryW(void *source, uintptr_t user, void *query)',
)
const pdhAddEnglishCounter = foreign<[query: Handle, path: string, user: number, counter: Buffer]>(
  'pdh.dll',
  'uint32_t PdhAddEnglishCounterW(intptr_t query, str16 path, uintptr_t user, void *counter)',
)
const pdhCollectQueryData = foreign<[query: Handle]>('pdh.dll', 'uint32_t PdhCollectQueryData(intptr_t query)')
const pdhCloseQuery = foreign<[query: Handle]>('pdh.dll', 'uint32_t PdhCloseQuery(intptr_t query)')
const pdhGetRawCounterArray = foreign<[counter: Handle, bytes: Buffer, count: Buffer, items: Buffer]>(
  'pdh.dll',
  'uint32_t PdhGetRawCounterArrayW(intptr_t counter, void *bytes, void *count, void *items)',
)
const pdhGetFormattedCounterValue = foreign<[counter: Handle, format: number, type: null, value: Buffer]>(
  'pdh.dll',
  'uint32_t PdhGetFormattedCounterValue(intptr_t counter, uint32_t format, void *type, void *value)',
)

async function openQuery(): Promise<Handle> {
  const out = Buffer.alloc(8)
  check('PdhOpenQueryW', (await pdhOpenQuery.later(null, 0, out)).result)
  return readAddress(out)
}

async function addCounter(query: Handle, path: string): Promise<Handle> {
  const out = Buffer.alloc(8)
  check(`counter ${path}`, (await pdhAddEnglishCounter.later(query, path, 0, out)).result)
  return readAddress(out)
}

const PDH_MORE_DATA = 0x800007d2

async function readRawArray(counter: Handle): Promise<RawCounterArray> {
  const count = Buffer.alloc(4)
  const fill = (buffer: Buffer, bytes: Buffer) => pdhGetRawCounterArray(counter, bytes, count, buffer)
  const bytes = await fillBuffer(fill, { call: 'PdhGetRawCounterArrayW', tooSmall: PDH_MORE_DATA })
  if (!bytes || bytes.length === 0) return { bytes: Buffer.alloc(0), count: 0, address: 0n }
  return { bytes, count: count.readUInt32LE(), address: koffi().address(bytes) }
}

const PDH_FMT_DOUBLE = 0x200

function readFormatted(counter: Handle): number {
  const value = Buffer.alloc(16)
  check('PdhGetFormattedCounterValue', pdhGetFormattedCounterValue(counter, PDH_FMT_DOUBLE, null, value))
  check('PdhGetFormattedCounterValue', value.readUInt32LE(0) <= NEW_DATA ? 0 : value.readUInt32LE(0))
  return value.readDoubleLE(8)
}

function check(call: string, status: number): void {
  if (status !== 0) throw new WindowsError(call, status)
}
