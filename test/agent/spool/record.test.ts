import { describe, expect, it } from 'vitest'
import { encodeRecord, scanRecords } from '../../../agent/spool/record.ts'

const payloads = ['первая', '{"n":2}', 'x'.repeat(300)].map(text => Buffer.from(text))
const whole = Buffer.concat(payloads.map((payload, index) => encodeRecord(index + 1, payload)))
const ends = payloads.map((_, index) =>
  payloads.slice(0, index + 1).reduce((sum, payload) => sum + 20 + payload.length, 0),
)

const numbers = (bytes: Buffer, floor = 0) => scanRecords(bytes, floor).records.map(record => record.number)

describe('scanRecords', () => {
  it('gives back what was written', () => {
    const { records, end } = scanRecords(whole, 0)
    expect(records.map(record => record.payload.toString())).toEqual(payloads.map(String))
    expect(end).toBe(whole.length)
  })

  it('keeps every whole record at every truncation point', () => {
    for (let size = 0; size <= whole.length; size++) {
      const { records, end } = scanRecords(whole.subarray(0, size), 0)
      const expected = ends.filter(each => each <= size)
      expect(records.length, `cut at ${size}`).toBe(expected.length)
      expect(end).toBe(expected.at(-1) ?? 0)
    }
  })

  it('loses only the record that a changed byte is in', () => {
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x40, at)
      const hit = ends.findIndex(end => at < end) + 1
      expect(numbers(bytes), `byte ${at}`).toEqual([1, 2, 3].filter(number => number !== hit))
    }
  })

  it('passes over what is left of an earlier life', () => {
    const overwritten = Buffer.concat([encodeRecord(9, Buffer.from('new')), whole])
    expect(numbers(overwritten)).toEqual([9])
    expect(numbers(whole, 2)).toEqual([3])
  })
})
