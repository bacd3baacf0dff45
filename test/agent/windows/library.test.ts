import { describe, expect, it } from 'vitest'
import { fillBuffer, readWide, WindowsError, wide } from '../../../agent/windows/library.ts'

const TOO_SMALL = 122
const options = { call: 'GetTable', tooSmall: TOO_SMALL }

/** Wants these sizes one after the other, as a table that grows. */
const growing =
  (...sizes: number[]) =>
  (buffer: Buffer, bytes: Buffer) => {
    const size = (sizes.length > 1 ? sizes.shift() : sizes[0]) ?? 0
    bytes.writeUInt32LE(size)
    if (buffer.length < size) return TOO_SMALL
    buffer.fill(7, 0, size)
    return 0
  }

describe('fillBuffer', () => {
  it('asks for the size first, and again when it has grown', async () => {
    expect(await fillBuffer(growing(10, 20, 30, 30), options)).toEqual(Buffer.alloc(30, 7))
  })

  it('has room to spare where asked to, and cuts the result', async () => {
    expect(await fillBuffer(growing(10, 15), { ...options, spareBytes: 5 })).toEqual(Buffer.alloc(15, 7))
  })

  it('gives up on one that never fits', async () => {
    let wanted = 0
    const runsAway = (_: Buffer, bytes: Buffer) => {
      wanted += 100
      bytes.writeUInt32LE(wanted)
      return TOO_SMALL
    }
    await expect(fillBuffer(runsAway, options)).rejects.toThrow('GetTable: buffer too small (error 122)')
  })

  it('tells what is not there from what failed', async () => {
    expect(await fillBuffer(() => 50, { ...options, absent: 50 })).toBeUndefined()
    await expect(fillBuffer(() => 5, options)).rejects.toThrow('GetTable: access denied (error 5)')
  })
})

describe('text and errors', () => {
  it('reads text up to its zero, or all of it', () => {
    expect(readWide(Buffer.concat([wide('Бухгалтер'), wide('rest')]))).toBe('Бухгалтер')
    expect(readWide(Buffer.from('Склад', 'utf16le'))).toBe('Склад')
  })

  it('names a code that it has no words for, long ones in hexadecimal', () => {
    expect(new WindowsError('CreateFileW', 1450).message).toBe('CreateFileW: failed (error 1450)')
    expect(new WindowsError('PdhCollectQueryData', 0x800007d5).message).toBe(
      'PdhCollectQueryData: no data (error 0x800007d5)',
    )
  })
})
