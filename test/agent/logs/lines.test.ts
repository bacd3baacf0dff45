import { describe, expect, it } from 'vitest'
import { decode, type Encoding } from '../../../agent/logs/encoding.ts'
import { createLineCutter, MAX_LINE_BYTES, type Place } from '../../../agent/logs/lines.ts'
import { ENCODINGS, encode } from './bytes.ts'

const START: Place = { offset: 0, skipping: false }

function cut(bytes: Buffer, encoding: Encoding, chunkBytes: number, from = START) {
  const cutter = createLineCutter(encoding, from)
  const lines = []
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...cutter.push(bytes.subarray(at, at + chunkBytes)))
  return { lines, texts: lines.map(line => decode(line.bytes, encoding)), cutter }
}

describe('createLineCutter', () => {
  it.each(ENCODINGS)('cuts %s at every line end, however the chunks fall', encoding => {
    // U+0A0D and U+0D0A hold the bytes of a line end without being one.
    const wide = encoding.startsWith('utf-16') ? '\u0a00\u000d' : ''
    const texts = ['первая', '', `Ёлка № 2${wide}`, 'last']
    const bytes = encode(`${texts.join('\n')}\nхвост`, encoding)
    for (const chunkBytes of [1, 2, 3, 7, 1000]) {
      const { texts: found, cutter, lines } = cut(bytes, encoding, chunkBytes)
      expect(found).toEqual(texts)
      expect(decode(cutter.rest()?.bytes ?? Buffer.alloc(0), encoding)).toBe('хвост')
      // Each line is found again from where the one before it ends.
      for (const [index, line] of lines.slice(0, -1).entries()) {
        const again = cut(bytes.subarray(line.end.offset), encoding, 1000, line.end)
        expect(again.texts).toEqual(texts.slice(index + 1))
      }
    }
  })

  it.each(ENCODINGS)(
    'cuts a line of %s that is too long between two characters, and passes over its rest',
    encoding => {
      const bytes = encode(`${'я'.repeat(100_000)}\nследующая\n`, encoding)
      for (const chunkBytes of [4096 + 1, 1 << 20]) {
        const { lines, texts } = cut(bytes, encoding, chunkBytes)
        expect(lines.map(line => line.cut)).toEqual([true, false])
        expect(lines[0]?.bytes.length).toBeGreaterThan(MAX_LINE_BYTES - 4)
        expect(lines[0]?.bytes.length).toBeLessThanOrEqual(MAX_LINE_BYTES)
        expect(texts[0]).toMatch(/^я+$/)
        expect(texts[1]).toBe('следующая')
        const end = lines[0]?.end ?? START
        expect(end.skipping).toBe(true)
        expect(cut(bytes.subarray(end.offset), encoding, 999, end).texts).toEqual(['следующая'])
      }
    },
  )

  it('keeps no more than a line of a file without line ends', () => {
    const { lines, cutter } = cut(Buffer.alloc(1 << 20, 0x61), 'utf-8', 64 * 1024)
    expect(lines).toHaveLength(1)
    expect(cutter.place).toEqual({ offset: 1 << 20, skipping: true })
    expect(cutter.rest()).toBeUndefined()
  })

  it('passes over the zeros that a crash or a truncation left', () => {
    const bytes = Buffer.concat([Buffer.from('one\n'), Buffer.alloc(300_000), Buffer.from('two\n')])
    const { texts, lines } = cut(bytes, 'utf-8', 64 * 1024)
    expect(texts).toEqual(['one', 'two'])
    expect(lines[1]?.start).toBe(300_004)
    const wide = Buffer.concat([encode('a\n', 'utf-16be'), Buffer.alloc(1000), encode('b\n', 'utf-16be')])
    expect(cut(wide, 'utf-16be', 33).texts).toEqual(['a', 'b'])
  })

  it.each(ENCODINGS)('ends a file of %s before the zeros at its end, but for a hole', encoding => {
    const line = encode('строка\n', encoding)
    const half = encode('пол', encoding)
    const room = cut(Buffer.concat([line, Buffer.alloc(200_000)]), encoding, 4_097).cutter
    expect([room.place.offset, room.end.offset]).toEqual([line.length + 200_000, line.length])
    const torn = cut(Buffer.concat([line, half, Buffer.alloc(1_000)]), encoding, 4_097).cutter
    expect(decode(torn.rest()?.bytes ?? Buffer.alloc(0), encoding)).toBe('пол')
    expect(torn.rest()?.end.offset).toBe(line.length + half.length)
    const hole = cut(Buffer.concat([line, Buffer.alloc(300_000)]), encoding, 4_097).cutter
    expect(hole.end.offset).toBe(line.length + 300_000)
  })

  it('leaves half of a wide character for later', () => {
    const { cutter } = cut(encode('ab', 'utf-16le').subarray(0, 3), 'utf-16le', 3)
    expect(cutter.rest()?.end.offset).toBe(2)
  })
})
