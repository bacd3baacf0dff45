import path from 'node:path'
import { crc32 } from 'node:zlib'
import type { SpoolFiles } from './files.ts'

/** One disk page each: a torn write spoils one slot and never the other. */
const SLOT_BYTES = 4_096
const HEADER_BYTES = 16

/**
 * A small JSON value that is replaced in place, durably: two slots written in turn, the newest whole one counts. Both
 * are on disk from the start, so that a full disk cannot keep the spool from moving on.
 */
export interface Slots {
  /** The newest whole value; absent in a new or a wholly damaged file. */
  readonly value: unknown
  /** Durable when it returns; throws the system's error, and then the value before still counts. */
  write(value: unknown): void
  close(): void
}

export function openSlots(files: SpoolFiles, file: string): Slots {
  const bytes = files.read(file)
  const found = bytes ? [readSlot(bytes, 0), readSlot(bytes, 1)].filter(slot => slot !== undefined) : []
  const newest = found.reduce<Slot | undefined>((a, b) => (a && a.generation > b.generation ? a : b), undefined)
  const handle = files.open(file)
  if (!newest) {
    files.write(handle, new Uint8Array(2 * SLOT_BYTES), 0)
    files.sync(handle)
    files.syncDirectory(path.dirname(file))
  }
  let generation = newest?.generation ?? 0
  return {
    value: newest?.value,
    write(value) {
      const next = generation + 1
      files.write(handle, encodeSlot(next, value), (next % 2) * SLOT_BYTES)
      files.sync(handle)
      generation = next
    },
    close: () => files.close(handle),
  }
}

interface Slot {
  readonly generation: number
  readonly value: unknown
}

function encodeSlot(generation: number, value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value))
  if (json.length > SLOT_BYTES - HEADER_BYTES) throw new Error(`the spool's state is too large: ${json.length} bytes`)
  const slot = Buffer.alloc(SLOT_BYTES)
  slot.writeUInt32LE(json.length, 0)
  slot.writeBigUInt64LE(BigInt(generation), 4)
  json.copy(slot, HEADER_BYTES)
  slot.writeUInt32LE(slotChecksum(slot, json.length), 12)
  return slot
}

function readSlot(bytes: Buffer, index: number): Slot | undefined {
  const slot = bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES)
  if (slot.length < HEADER_BYTES) return undefined
  const length = slot.readUInt32LE(0)
  if (length === 0 || HEADER_BYTES + length > slot.length) return undefined
  if (slotChecksum(slot, length) !== slot.readUInt32LE(12)) return undefined
  const value: unknown = JSON.parse(slot.subarray(HEADER_BYTES, HEADER_BYTES + length).toString('utf8'))
  return { generation: Number(slot.readBigUInt64LE(4)), value }
}

function slotChecksum(slot: Buffer, length: number): number {
  return crc32(slot.subarray(HEADER_BYTES, HEADER_BYTES + length), crc32(slot.subarray(0, 12)))
}
