/** A cluster of NTFS: what a crash left unwritten begins and ends with one. */
const BLOCK = Buffer.alloc(4_096)
/**
 * 12 KB. A block of zlib's deflate has at most 32,767 symbols (`lit_bufsize - 1` at memLevel 9), and the shortest, a match and
 * its distance, takes two bits: what it writes has no 8 KB of zeros in a row.
 */
const BLOCKS = 3

/** Where what looks like compressed data is nothing but zeros; called with all of it, piece by piece, in order. */
export function createHoleFinder(): (chunk: Buffer) => number | undefined {
  let position = 0
  let zeros = 0
  return chunk => {
    for (let at = 0; at + BLOCK.length <= chunk.length; at += BLOCK.length) {
      zeros = chunk[at] === 0 && BLOCK.equals(chunk.subarray(at, at + BLOCK.length)) ? zeros + 1 : 0
      if (zeros === BLOCKS) return position + at - (BLOCKS - 1) * BLOCK.length
    }
    position += chunk.length
    return undefined
  }
}
