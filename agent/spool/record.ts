import { crc32 } from 'node:zlib'

/**
 * One record on disk: magic, payload length, number, CRC-32 of the two and the payload; little-endian. Numbers only
 * grow, so that what a file still holds of an earlier life is told from what was written last.
 */
const MAGIC = Buffer.from('OSR1')
const HEADER_BYTES = 20

/** Nothing longer is believed: a length that a bad sector made must not swallow the rest of a file. */
const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024

export interface SpoolRecord {
  readonly number: number
  /** Where in the file it begins. */
  readonly offset: number
  readonly payload: Buffer
  /** Where in the file it ends. */
  readonly end: number
}

/** Bytes on disk. */
export const sizeOfRecord = (payload: Uint8Array): number => HEADER_BYTES + payload.length

export function encodeRecord(number: number, payload: Uint8Array): Buffer {
  const record = Buffer.alloc(sizeOfRecord(payload))
  MAGIC.copy(record)
  record.writeUInt32LE(payload.length, 4)
  record.writeBigUInt64LE(BigInt(number), 8)
  record.set(payload, HEADER_BYTES)
  record.writeUInt32LE(checksum(record), 16)
  return record
}

/**
 * The whole records of a file, in order, their numbers above `floor` and growing. What is torn, damaged or left from
 * before is passed over; `end` is where the last whole record ends.
 */
export function scanRecords(bytes: Buffer, floor: number): { records: SpoolRecord[]; end: number } {
  const records: SpoolRecord[] = []
  let last = floor
  let end = 0
  for (let at = bytes.indexOf(MAGIC); at >= 0; ) {
    const record = recordAt(bytes, at)
    if (record && record.number > last) {
      records.push(record)
      last = record.number
      end = record.end
    }
    at = bytes.indexOf(MAGIC, record ? record.end : at + 1)
  }
  return { records, end }
}

function recordAt(bytes: Buffer, offset: number): SpoolRecord | undefined {
  if (offset + HEADER_BYTES > bytes.length) return undefined
  const length = bytes.readUInt32LE(offset + 4)
  const end = offset + HEADER_BYTES + length
  if (length > MAX_PAYLOAD_BYTES || end > bytes.length) return undefined
  const record = bytes.subarray(offset, end)
  if (checksum(record) !== record.readUInt32LE(16)) return undefined
  return { number: Number(record.readBigUInt64LE(8)), offset, payload: record.subarray(HEADER_BYTES), end }
}

function checksum(record: Buffer): number {
  return crc32(record.subarray(HEADER_BYTES), crc32(record.subarray(4, 16)))
}
