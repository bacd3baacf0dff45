import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createHoleFinder } from '../../../agent/backup/hole.ts'

const PIECE = 1 << 20

function findIn(content: Buffer): number | undefined {
  const find = createHoleFinder()
  for (let at = 0; at < content.length; at += PIECE) {
    const hole = find(content.subarray(at, at + PIECE))
    if (hole !== undefined) return hole
  }
  return undefined
}

function holed(from: number, to: number): Buffer {
  const content = Buffer.alloc(3 * PIECE, 1)
  return content.fill(0, from, to)
}

describe('the hole finder', () => {
  it('finds three clusters of zeros, over the border of two pieces too', () => {
    expect(findIn(holed(40_960, 40_960 + 12_288))).toBe(40_960)
    expect(findIn(holed(PIECE - 4_096, PIECE + 8_192))).toBe(PIECE - 4_096)
    expect(findIn(holed(2 * PIECE, 3 * PIECE))).toBe(2 * PIECE)
  })

  it('finds none in fewer, or in three that are apart', () => {
    expect(findIn(holed(40_960, 40_960 + 8_192))).toBeUndefined()
    expect(findIn(Buffer.concat([holed(PIECE, PIECE + 8_192), holed(0, 0).fill(0, 4_096, 8_192)]))).toBeUndefined()
    expect(findIn(Buffer.alloc(100))).toBeUndefined()
  })

  it.each([1, 8, 9])('finds none in what zlib makes of nothing but zeros, at memory level %i', memLevel => {
    // All of one byte is what comes out shortest: two bits for 258 of it.
    const mostZeros = Buffer.concat([randomBytes(64), Buffer.alloc(60 * PIECE), randomBytes(64)])
    for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_RLE])
      expect(findIn(deflateRawSync(mostZeros, { memLevel, strategy }))).toBeUndefined()
  })
})
