import { crc32 } from 'node:zlib'
import type { FileReader, IntegrityResult } from './integrity.ts'

/** Largest directory of an archive that is followed; a larger one is taken as it is. */
const MAX_DIRECTORY_BYTES = 32 << 20

const truncated = (words: string): IntegrityResult => ({ code: 'truncated', words })
const damaged = (words: string): IntegrityResult => ({ code: 'damaged', words })

const ZIP_END = 0x06054b50
const ZIP64_END = 0x06064b50
const ZIP64_LOCATOR = 0x07064b50
const ZIP_ENTRY = 0x02014b50
const ZIP_END_BYTES = 22
const ZIP64_LOCATOR_BYTES = 20
const MAX_COMMENT_BYTES = 0xffff

interface ZipDirectory {
  readonly offset: number
  readonly sizeBytes: number
  readonly entries: number
}

/** The end record, and through it every entry of the central directory (APPNOTE 4.3.12 to 4.3.16). */
export async function zipProblem(file: FileReader): Promise<IntegrityResult | undefined> {
  const tailAt = Math.max(file.sizeBytes - ZIP_END_BYTES - MAX_COMMENT_BYTES - ZIP64_LOCATOR_BYTES, 0)
  const tail = await file.read(tailAt, file.sizeBytes - tailAt)
  const end = findEnd(tail)
  if (end === undefined) return truncated('the zip has no end record')
  const directory = await zipDirectory(file, tail, end)
  if (!directory) return damaged('the zip64 end record cannot be read')
  const { offset, sizeBytes, entries } = directory
  if (offset + sizeBytes > tailAt + end) return truncated('the directory of the zip lies beyond its end')
  if (sizeBytes > MAX_DIRECTORY_BYTES) return undefined
  return zipEntriesProblem(await file.read(offset, sizeBytes), entries)
}

/** Where the end record begins: the last place that looks like one and whose comment fills the rest. */
function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - ZIP_END_BYTES; at >= 0; at--)
    if (tail.readUInt32LE(at) === ZIP_END && at + ZIP_END_BYTES + tail.readUInt16LE(at + 20) <= tail.length) return at
  return undefined
}

async function zipDirectory(file: FileReader, tail: Buffer, end: number): Promise<ZipDirectory | undefined> {
  const entries = tail.readUInt16LE(end + 10)
  const sizeBytes = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (entries !== 0xffff && sizeBytes !== 0xffffffff && offset !== 0xffffffff) return { offset, sizeBytes, entries }
  const locator = end - ZIP64_LOCATOR_BYTES
  if (locator < 0 || tail.readUInt32LE(locator) !== ZIP64_LOCATOR) return { offset, sizeBytes, entries }
  const record = await file.read(Number(tail.readBigUInt64LE(locator + 8)), 56)
  if (record.length < 56 || record.readUInt32LE(0) !== ZIP64_END) return undefined
  const at = (position: number) => Number(record.readBigUInt64LE(position))
  return { entries: at(32), sizeBytes: at(40), offset: at(48) }
}

function zipEntriesProblem(directory: Buffer, entries: number): IntegrityResult | undefined {
  let at = 0
  for (let entry = 0; entry < entries; entry++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ZIP_ENTRY)
      return damaged(`entry ${entry + 1} of ${entries} in the directory of the zip is damaged`)
    at += 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return undefined
}

const SEVEN_ZIP_START_BYTES = 32

/** Start header (its CRC, then offset, size and CRC of the next), and the next header at the end (7zFormat.txt). */
export async function sevenZipProblem(file: FileReader): Promise<IntegrityResult | undefined> {
  const start = await file.read(0, SEVEN_ZIP_START_BYTES)
  if (start.length < SEVEN_ZIP_START_BYTES) return truncated('the 7z ends within its header')
  if (crc32(start.subarray(12)) !== start.readUInt32LE(8)) return damaged('the header of the 7z is damaged')
  const at = SEVEN_ZIP_START_BYTES + Number(start.readBigUInt64LE(12))
  const sizeBytes = Number(start.readBigUInt64LE(20))
  if (at + sizeBytes > file.sizeBytes)
    return truncated(`the 7z has ${file.sizeBytes} bytes and should have ${at + sizeBytes}`)
  if (sizeBytes === 0 || sizeBytes > MAX_DIRECTORY_BYTES) return undefined
  const isIntact = crc32(await file.read(at, sizeBytes)) === start.readUInt32LE(28)
  return isIntact ? undefined : damaged('the directory of the 7z is damaged')
}
