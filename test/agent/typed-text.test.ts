import { expect, it } from 'vitest'
import { decodeTyped } from '../../agent/typed-text.ts'

const TEXT = '{"name":"Бухгалтерия"}\r\n'

it.each([
  ['UTF-8', Buffer.from(TEXT)],
  ['UTF-8 as Notepad has it', Buffer.from(`\ufeff${TEXT}`)],
  ['UTF-16 as PowerShell has it', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
  [
    'the code page of a Russian Windows',
    Buffer.concat([Buffer.from('{"name":"'), Buffer.from('c1f3f5e3e0ebf2e5f0e8ff', 'hex'), Buffer.from('"}\r\n')]),
  ],
])('text in %s is read', (_, bytes) => expect(decodeTyped(bytes)).toBe(TEXT))
