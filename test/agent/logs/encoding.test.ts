import { describe, expect, it } from 'vitest'
import { decode, guessEncoding } from '../../../agent/logs/encoding.ts'
import { ENCODINGS, encode } from './bytes.ts'

const TEXT = '2024-01-01 12:00:00 Ошибка: не удалось создать резервную копию базы «Зарплата», ещё одна попытка\r\n'
const PLAIN = TEXT.replace(/[«»]/g, '"')

describe('guessEncoding', () => {
  it.each(ENCODINGS)('knows Russian text in %s', encoding => {
    expect(guessEncoding(encode(PLAIN, encoding))).toEqual({ encoding, sure: true })
  })

  it.each([
    ['utf-8', 'ef bb bf'],
    ['utf-16le', 'ff fe'],
    ['utf-16be', 'fe ff'],
  ])('knows the mark of %s', (encoding, mark) => {
    expect(guessEncoding(Buffer.from(mark.replaceAll(' ', ''), 'hex'))).toEqual({ encoding, sure: true })
  })

  it.each(['utf-16le', 'utf-16be'] as const)('knows %s without a mark, in Latin and in Cyrillic', encoding => {
    expect(guessEncoding(encode('INFO backup started\n', encoding)).encoding).toBe(encoding)
    expect(guessEncoding(encode('Резервное копирование начато\n', encoding)).encoding).toBe(encoding)
  })

  it('leaves it open while there is only ASCII', () => {
    expect(guessEncoding(Buffer.from('INFO started\n'))).toEqual({ encoding: 'utf-8', sure: false })
    expect(guessEncoding(Buffer.alloc(0))).toEqual({ encoding: 'utf-8', sure: false })
  })

  it.each(['cp866', 'cp1251'] as const)('tells %s by a few letters, and is not sure then', encoding => {
    for (const text of ['INFO Старт', 'ОШИБКА', 'Ошибка', 'нет', 'Ёлка № 5', 'ВНИМАНИЕ'])
      expect(guessEncoding(encode(text, encoding)), text).toMatchObject({ encoding, sure: false })
  })

  it('does not mind a character that is torn at either end', () => {
    const bytes = encode(TEXT, 'utf-8')
    const first = bytes.indexOf(0xd0)
    expect(guessEncoding(bytes.subarray(first + 1))).toEqual({ encoding: 'utf-8', sure: true })
    expect(guessEncoding(bytes.subarray(0, first + 1))).toMatchObject({ encoding: 'utf-8' })
  })

  it('does not mind a damaged character in much UTF-8', () => {
    const bytes = encode(TEXT.repeat(20), 'utf-8')
    expect(guessEncoding(Buffer.concat([bytes, Buffer.from([0xff, 0x0a]), bytes])).encoding).toBe('utf-8')
  })

  it('takes pseudographics of cp866 for what they are', () => {
    const frame = Buffer.concat([Buffer.from([0xc9, 0xcd, 0xcd, 0xbb, 0x0a]), encode(PLAIN, 'cp866')])
    expect(guessEncoding(frame).encoding).toBe('cp866')
  })
})

describe('decode', () => {
  it.each(ENCODINGS)('reads %s', encoding => {
    expect(decode(encode(PLAIN, encoding), encoding)).toBe(PLAIN)
  })

  it('drops a mark, and shows what is damaged', () => {
    expect(decode(Buffer.from('\ufeffa'), 'utf-8')).toBe('a')
    expect(decode(Buffer.from([0x61, 0xff]), 'utf-8')).toBe('a\ufffd')
  })
})
