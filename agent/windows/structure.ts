import { koffi } from './koffi.ts'

/**
 * One piece of memory: a structure, and behind it what its pointer at `at` leads to. So both live as long as the call
 * that they are passed to.
 */
export function structureWith(structure: Buffer, at: number, content: Buffer): Buffer {
  const bytes = Buffer.concat([structure, content])
  bytes.writeBigUInt64LE(koffi().address(bytes) + BigInt(structure.length), at)
  return bytes
}
