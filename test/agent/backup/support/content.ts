import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'

/** An infobase as the Designer unloads it: `1CIBDmpF`, a version, raw deflate; of about so many bytes. */
export function dtFile(bytes = 300_000): Buffer {
  return Buffer.concat([Buffer.from('1CIBDmpF3'), deflateRawSync(Buffer.from(randomBytes(bytes).toString('hex')))])
}

/** The same with a hole of zeros in the middle, as a crash leaves it: of whole clusters. */
export function withHole(file: Buffer, bytes = 65_536): Buffer {
  const copy = Buffer.from(file)
  const at = Math.floor(copy.length / 2 / 4_096) * 4_096
  copy.fill(0, at, at + bytes)
  return copy
}
