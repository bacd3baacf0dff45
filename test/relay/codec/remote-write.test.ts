import { describe, expect, it } from 'vitest'
import {
  encodeLabel,
  encodeMetadata,
  encodeWriteRequest,
  type Sample,
  STALE,
} from '../../../relay/codec/remote-write.ts'
import { randomText, seededRandom } from '../../support/seeded-random.ts'
import { bitsOf, decodeWriteRequest, STALE_NAN_BITS } from '../../support/stand-ins/remote-write-message.ts'

const ALPHABET = ['a', 'Z', '_', ' ', 'я', 'Ё', '"', '\\', '\n', '=', ',', '€', '🚀', 'x'.repeat(60)]
const NUMBERS = [0, -0, 1, -1, 45.2, 1e21, -1.5e-9, Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER]
const TIMES_MS = [0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 1_795_423_500_000, 4_102_444_800_000, 2 ** 53 - 1]

function samplesOf(values: readonly Sample['value'][]): Sample[] {
  return values.map((value, index) => ({ atMs: 1_795_423_500_000 + index, value }))
}

function decodeSamples(samples: readonly Sample[]) {
  return decodeWriteRequest(encodeWriteRequest([{ labels: [encodeLabel('__name__', 'a')], samples }])).timeseries[0]
    ?.samples
}

describe('encodeWriteRequest', () => {
  it('keeps every bit of a value', () => {
    expect(decodeSamples(samplesOf(NUMBERS))?.map(({ bits }) => bits)).toEqual(NUMBERS.map(bitsOf))
  })

  it('writes the stale marker as its own NaN', () => {
    expect(decodeSamples(samplesOf([1, STALE]))?.[1]?.bits).toBe(STALE_NAN_BITS)
  })

  it('keeps every millisecond', () => {
    const samples = TIMES_MS.map(atMs => ({ atMs, value: 1 }))
    expect(decodeSamples(samples)?.map(({ atMs }) => atMs)).toEqual(TIMES_MS)
  })

  it('is nothing for nothing', () => {
    expect(encodeWriteRequest([])).toHaveLength(0)
  })

  it('is read back by another decoder, whatever the names and sizes', () => {
    const random = seededRandom(42)
    for (let round = 0; round < 200; round++) {
      const series = Array.from({ length: Math.floor(random() * 6) }, () => ({
        labels: Array.from({ length: Math.floor(random() * 5) }, () => ({
          name: randomText(random, ALPHABET, 8),
          value: randomText(random, ALPHABET, random() < 0.1 ? 400 : 20),
        })),
        samples: Array.from({ length: Math.floor(random() * 4) }, () => ({
          atMs: Math.floor(random() * 2 ** 43),
          value: (random() - 0.5) * 10 ** Math.floor(random() * 30),
        })),
      }))
      const encoded = encodeWriteRequest(
        series.map(({ labels, samples }) => ({
          labels: labels.map(label => encodeLabel(label.name, label.value)),
          samples,
        })),
      )
      expect(decodeWriteRequest(encoded).timeseries, `round ${round}`).toEqual(
        series.map(({ labels, samples }) => ({
          labels,
          samples: samples.map(({ atMs, value }) => ({ atMs, bits: bitsOf(value) })),
        })),
      )
    }
  })
})

describe('encodeMetadata', () => {
  it('gives TYPE and HELP and never a UNIT', () => {
    const metadata = encodeMetadata({
      a_total: { type: 'counter', unit: 'bytes', help: 'Помощь in bytes.', origin: 'agent' },
      b: { type: 'gauge', unit: 'percent', help: 'B.', origin: 'relay' },
    })
    expect(decodeWriteRequest(encodeWriteRequest([], metadata)).metadata).toEqual([
      { type: 1, metric: 'a_total', help: 'Помощь in bytes.', unit: '' },
      { type: 2, metric: 'b', help: 'B.', unit: '' },
    ])
  })
})
