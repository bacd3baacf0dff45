import { copyMemory, foreign, type Handle, readAddress, readWide, WindowsError } from '../../windows/library.ts'
import type { NetCounter } from '../network.ts'

/** A row of the table, MIB_IF_ROW2 of netioapi.h. */
export interface IfRow {
  /** The same for an interface as long as the system runs, across names and indexes. */
  readonly luid: string
  readonly alias: string
  /** IANA's ifType. */
  readonly type: number
  /** A network card, or what stands for one in a virtual machine; not a team, a virtual switch or a VPN. */
  readonly hardware: boolean
  /** A filter driver's view of another row (QoS, WFP, antivirus): the same packets once more. */
  readonly filter: boolean
  readonly up: boolean
  /** Burnt in, hexadecimal; empty where there is none. */
  readonly permanentAddress: string
  /** Counters that the driver has. */
  readonly counters: Readonly<Partial<Record<NetCounter, number>>>
}

const HEADER_BYTES = 8
const ROW_BYTES = 1352

/** `MIB_IF_TABLE2`: a count, then the rows, aligned at eight bytes. A table cut short gives the rows that it has. */
export function parseIfTable(table: Buffer): IfRow[] {
  if (table.length < HEADER_BYTES) return []
  const there = Math.floor((table.length - HEADER_BYTES) / ROW_BYTES)
  const count = Math.min(table.readUInt32LE(0), there)
  return Array.from({ length: count }, (_, index) => {
    const from = HEADER_BYTES + index * ROW_BYTES
    return parseRow(table.subarray(from, from + ROW_BYTES))
  })
}

const HARDWARE_FLAG = 0x01
const FILTER_FLAG = 0x02
const OPER_STATUS_UP = 1
const MAX_ADDRESS_BYTES = 32

function parseRow(row: Buffer): IfRow {
  const flags = row.readUInt8(1152)
  const addressBytes = Math.min(row.readUInt32LE(1056), MAX_ADDRESS_BYTES)
  return {
    luid: row.readBigUInt64LE(0).toString(16),
    alias: readWide(row, 28, 542),
    type: row.readUInt32LE(1128),
    hardware: (flags & HARDWARE_FLAG) !== 0,
    filter: (flags & FILTER_FLAG) !== 0,
    up: row.readUInt32LE(1156) === OPER_STATUS_UP,
    permanentAddress: row.toString('hex', 1092, 1092 + addressBytes).replace(/^0+$/, ''),
    counters: parseCounters(row),
  }
}

/** Packets are unicast and all others; the latter lie eight bytes behind the former. */
function parseCounters(row: Buffer): IfRow['counters'] {
  const packets = (at: number) => sum(readCounter(row, at), readCounter(row, at + 8))
  const counters: Record<NetCounter, number | undefined> = {
    receivedBytes: readCounter(row, 1208),
    receivedPackets: packets(1216),
    receiveDrops: readCounter(row, 1232),
    receiveErrors: readCounter(row, 1240),
    sentBytes: readCounter(row, 1280),
    sentPackets: packets(1288),
    sendDrops: readCounter(row, 1304),
    sendErrors: readCounter(row, 1312),
  }
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== undefined))
}

/** All ones, and what no card could have counted: the driver does not know. */
function readCounter(row: Buffer, at: number): number | undefined {
  const value = row.readBigUInt64LE(at)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}

const sum = (one: number | undefined, other: number | undefined) =>
  one === undefined || other === undefined ? undefined : one + other

const getIfTable2 = foreign<[table: Buffer]>('iphlpapi.dll', 'uint32_t GetIfTable2(void *table)')
const freeMibTable = foreign<[table: Handle], void>('iphlpapi.dll', 'void FreeMibTable(intptr_t table)')

/** The table as Windows gives it; asks every driver, one of which may be slow. */
export async function readIfTable(): Promise<Buffer> {
  const out = Buffer.alloc(8)
  const { result } = await getIfTable2.later(out)
  if (result !== 0) throw new WindowsError('GetIfTable2', result)
  const table = readAddress(out)
  try {
    const count = copyMemory(table, HEADER_BYTES).readUInt32LE(0)
    return copyMemory(table, HEADER_BYTES + count * ROW_BYTES)
  } finally {
    freeMibTable(table)
  }
}
