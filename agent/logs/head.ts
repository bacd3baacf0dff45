import { crc32 } from 'node:zlib'
import type { Followed } from './plan.ts'
import type { FilePosition } from './position.ts'

/** What is read of a file's beginning, for its encoding and its format. */
export const HEAD_BYTES = 4_096
/** The first bytes that tell one file from another. */
const PRINT_BYTES = 1_024
/** Fewer first bytes do not prove that a file under a new number is the same. */
const PROVING_BYTES = 64

/** The position to go on from; from the start when this is another file, or one that was cut. */
export function checkHead({ position, sameOnlyByHead }: Followed, head: Uint8Array, sizeBytes: number): FilePosition {
  const { headBytes, headCrc, offset } = position
  const same = head.length >= headBytes && crc32(head.subarray(0, headBytes)) === headCrc
  const proven = !sameOnlyByHead || headBytes >= PROVING_BYTES
  const printBytes = filledBytes(head.subarray(0, PRINT_BYTES))
  const print = { headBytes: printBytes, headCrc: crc32(head.subarray(0, printBytes)) }
  if (same && proven && sizeBytes >= offset) return { ...position, ...print }
  return { ...position, ...print, offset: 0, skipping: false, encoding: null }
}

/** Without the zeros at the end: they may be room that the writer fills later. */
function filledBytes(bytes: Uint8Array): number {
  let filled = bytes.length
  while (filled > 0 && bytes[filled - 1] === 0) filled--
  return filled
}
