import { describe, expect, it } from 'vitest'
import { encodeExposition, encodeHeader, encodeLabels } from '../../../relay/codec/exposition.ts'
import { randomText, seededRandom } from '../../support/seeded-random.ts'
import { readExposition } from '../../support/text-formats.ts'

const ALPHABET = ['a', 'Я', ' ', ',', '=', '\\', '"', '#', '\n', '{', '}', 'n', '€', '🚀']

describe('exposition', () => {
  it('is read back by another reader, whatever the texts', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 500; round++) {
      const labels = { a: randomText(random, ALPHABET, 12), b: randomText(random, ALPHABET, 12) }
      const value = (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
      const { text } = encodeExposition([{ name: 'x', labels: encodeLabels(Object.entries(labels)), value }], () => '')
      expect(readExposition(text), JSON.stringify(labels)).toEqual([{ name: 'x', labels, value }])
    }
  })

  it('writes HELP and TYPE, escaped, and neither for an unknown metric', () => {
    const help = 'A \\ and\na line'
    expect(encodeHeader('x', { type: 'counter', unit: '', help, origin: 'agent' })).toBe(
      '# HELP x A \\\\ and\\na line\n# TYPE x counter\n',
    )
    expect(encodeHeader('x', undefined)).toBe('')
  })

  it('is empty without series', () => {
    expect(encodeExposition([], () => '')).toEqual({ text: '', samples: 0 })
  })
})
