import { uncompressSync } from 'snappy'
import { describe, expect, it } from 'vitest'
import { snappy } from '../../../relay/codec/snappy.ts'
import { seededRandom } from '../../support/seeded-random.ts'

function nativeUncompress(bytes: Uint8Array): Buffer {
  return uncompressSync(Buffer.from(bytes), { asBuffer: true }) as Buffer
}

describe('snappy', () => {
  it.each([0, 1, 14, 15, 16, 60, 61, 256, 65_535, 65_536, 65_537, 200_000])(
    'is read by the native one, %i bytes',
    size => {
      const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7) % 251)
      expect(nativeUncompress(snappy(bytes)).equals(bytes)).toBe(true)
    },
  )

  it('is read by the native one, bytes between noise and repetition', () => {
    const random = seededRandom(20_261_123)
    for (let round = 0; round < 300; round++) {
      const variety = 1 + Math.floor(random() * 256)
      const repeat = 1 + Math.floor(random() * 40)
      const bytes = new Uint8Array(Math.floor(random() * 6_000))
      for (let at = 0; at < bytes.length; at++)
        bytes[at] = at >= repeat && random() < 0.8 ? (bytes[at - repeat] ?? 0) : Math.floor(random() * variety)
      expect(nativeUncompress(snappy(bytes)).equals(bytes), `round ${round}`).toBe(true)
    }
  })

  it('is smaller than what repeats', () => {
    expect(snappy(new Uint8Array(10_000)).length).toBeLessThan(1_000)
  })
})
