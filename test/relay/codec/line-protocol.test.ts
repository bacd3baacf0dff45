import { describe, expect, it } from 'vitest'
import { encodeField, encodeTags, escapeMeasurement, escapeTag } from '../../../relay/codec/line-protocol.ts'
import { randomText, seededRandom } from '../../support/seeded-random.ts'
import { readLineProtocol } from '../../support/text-formats.ts'

const ALPHABET = ['a', 'Я', ' ', ',', '=', '\\', '"', '#', '\n', '\r', '\t', '\u0000', '€', '🚀', ':']

/** What the protocol can carry of a text: no control characters, no backslash at the end or before a separator. */
function carried(text: string): string {
  let kept = text.replace(/\p{Cc}/gu, '')
  while (/\\([,= ]|$)/.test(kept)) kept = kept.replace(/\\([,= ]|$)/g, '$1')
  return kept
}

describe('line protocol', () => {
  it('is read back by another reader, whatever the texts', () => {
    const random = seededRandom(7)
    for (let round = 0; round < 500; round++) {
      const tags = { host: `h${randomText(random, ALPHABET, 12)}h`, tenant: randomText(random, ALPHABET, 6) }
      const value = (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
      const text = `m${encodeTags(tags)} ${encodeField('f', value)} 1795423500000\n`
      const labels = Object.entries(tags).map(([key, tag]) => [key, carried(tag)] as const)
      expect(readLineProtocol(text), JSON.stringify(tags)).toEqual([
        {
          name: 'm f',
          labels: Object.fromEntries(labels.filter(([, tag]) => tag !== '')),
          value,
          atMs: 1_795_423_500_000,
        },
      ])
    }
  })

  it('never has two backslashes before a separator: VictoriaMetrics would end the tag there', () => {
    expect(escapeTag('a\\\\ b\\\\,c\\\\\\=d\\')).toBe('a\\ b\\,c\\=d')
  })

  it('sorts tags and leaves out empty ones', () => {
    expect(encodeTags({ b: '1', a: '2', C: '3', d: '' })).toBe(',C=3,a=2,b=1')
  })

  it('lets the equals sign stand in a measurement', () => {
    expect(escapeMeasurement('a=b, c')).toBe('a=b\\,\\ c')
  })
})
