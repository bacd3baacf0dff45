import { wide } from '../../../../agent/windows/library.ts'

/** Buffers as Windows fills them, made by hand: layouts are those of its headers. */

export interface IfRowFixture {
  readonly luid: number
  readonly alias?: string
  readonly type?: number
  readonly hardware?: boolean
  readonly filter?: boolean
  readonly up?: boolean
  readonly address?: string
  readonly in?: { bytes?: bigint; unicast?: bigint; other?: bigint; drops?: bigint; errors?: bigint }
  readonly out?: { bytes?: bigint; unicast?: bigint; other?: bigint; drops?: bigint; errors?: bigint }
}

const ETHERNET = 6

export function ifTable(...rows: IfRowFixture[]): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(rows.length)
  return Buffer.concat([header, ...rows.map(ifRow)])
}

function ifRow({ luid, alias = '', type = ETHERNET, up = true, address = '', ...row }: IfRowFixture): Buffer {
  const bytes = Buffer.alloc(1352)
  bytes.writeBigUInt64LE(BigInt(luid), 0)
  wide(alias).copy(bytes, 28)
  bytes.writeUInt32LE(address.length / 2, 1056)
  bytes.write(address, 1092, 'hex')
  bytes.writeUInt32LE(type, 1128)
  bytes.writeUInt8((row.hardware ? 1 : 0) | (row.filter ? 2 : 0), 1152)
  bytes.writeUInt32LE(up ? 1 : 2, 1156)
  for (const [side, at] of [
    [row.in, 1208],
    [row.out, 1280],
  ] as const) {
    bytes.writeBigUInt64LE(side?.bytes ?? 0n, at)
    bytes.writeBigUInt64LE(side?.unicast ?? 0n, at + 8)
    bytes.writeBigUInt64LE(side?.other ?? 0n, at + 16)
    bytes.writeBigUInt64LE(side?.drops ?? 0n, at + 24)
    bytes.writeBigUInt64LE(side?.errors ?? 0n, at + 32)
  }
  return bytes
}

/** `rows` are TCP states. */
export function tcpTable(rowBytes: number, stateAt: number, states: readonly number[]): Buffer {
  const table = Buffer.alloc(4 + states.length * rowBytes)
  table.writeUInt32LE(states.length)
  for (const [row, state] of states.entries()) table.writeUInt32LE(state, 4 + row * rowBytes + stateAt)
  return table
}

export function sessionList(...sessions: readonly { id: number; state: number }[]): Buffer {
  const list = Buffer.alloc(sessions.length * 24)
  for (const [index, { id, state }] of sessions.entries()) {
    list.writeUInt32LE(id, index * 24)
    list.writeUInt32LE(state, index * 24 + 16)
  }
  return list
}

export function memoryStatus(total: number, available: number, commitLimit: number): Buffer {
  const status = Buffer.alloc(64)
  status.writeUInt32LE(64)
  for (const [index, value] of [total, available, commitLimit].entries())
    status.writeBigUInt64LE(BigInt(value), 8 + index * 8)
  return status
}

/** Records of cores, as many in each group; two threads a core. */
export function coreRecords(...coresOfGroups: readonly number[]): Buffer {
  const records = coresOfGroups.flatMap((cores, group) =>
    Array.from({ length: cores }, (_, core) => {
      const record = Buffer.alloc(48)
      record.writeUInt32LE(48, 4)
      record.writeUInt8(1, 8)
      record.writeUInt16LE(1, 30)
      record.writeBigUInt64LE(BigInt.asUintN(64, 3n << BigInt(core * 2)), 32)
      record.writeUInt16LE(group, 40)
      return record
    }),
  )
  return Buffer.concat(records)
}

export function powerRecords(frequencies: readonly { current: number; max: number }[]): Buffer {
  const records = Buffer.alloc(frequencies.length * 24)
  for (const [index, { current, max }] of frequencies.entries()) {
    records.writeUInt32LE(index, index * 24)
    records.writeUInt32LE(max, index * 24 + 4)
    records.writeUInt32LE(current, index * 24 + 8)
  }
  return records
}

/** Where the array pretends to lie. */
const ADDRESS = 0x7ff6_1234_0000n

/** PDH_RAW_COUNTER_ITEM_W records, with their names behind them. A value is `undefined` where it is not valid. */
export function rawCounterArray(values: Readonly<Record<string, bigint | undefined>>) {
  const names = Object.keys(values).map(wide)
  const items = Buffer.alloc(names.length * 48)
  let name = items.length
  for (const [index, value] of Object.values(values).entries()) {
    items.writeBigUInt64LE(ADDRESS + BigInt(name), index * 48)
    items.writeUInt32LE(value === undefined ? 0xc0000bba : 0, index * 48 + 8)
    items.writeBigInt64LE(value ?? 0n, index * 48 + 24)
    name += names[index]?.length ?? 0
  }
  return { bytes: Buffer.concat([items, ...names]), count: names.length, address: ADDRESS }
}

export function diskPerformance(values: {
  readBytes: bigint
  writtenBytes: bigint
  readTime: bigint
  writeTime: bigint
  reads: number
  writes: number
}): Buffer {
  const buffer = Buffer.alloc(88)
  for (const [index, value] of [values.readBytes, values.writtenBytes, values.readTime, values.writeTime].entries())
    buffer.writeBigInt64LE(value, index * 8)
  buffer.writeUInt32LE(values.reads, 40)
  buffer.writeUInt32LE(values.writes, 44)
  return buffer
}
