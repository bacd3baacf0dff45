import type { Encoding } from '../../../agent/logs/encoding.ts'

/** Text in an encoding, by tables of its own: Node only reads the old ones. */
export function encode(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text)
  if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le')
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16()
  return Buffer.from([...text].map(character => (encoding === 'cp866' ? cp866 : cp1251)(character.codePointAt(0) ?? 0)))
}

function cp866(point: number): number {
  if (point < 0x80) return point
  if (point >= 0x410 && point <= 0x43f) return point - 0x410 + 0x80
  if (point >= 0x440 && point <= 0x44f) return point - 0x440 + 0xe0
  if (point === 0x401) return 0xf0
  if (point === 0x451) return 0xf1
  if (point === 0x2116) return 0xfc
  throw new Error(`no U+${point.toString(16)} in this table`)
}

function cp1251(point: number): number {
  if (point < 0x80) return point
  if (point >= 0x410 && point <= 0x44f) return point - 0x410 + 0xc0
  if (point === 0x401) return 0xa8
  if (point === 0x451) return 0xb8
  if (point === 0x2116) return 0xb9
  if (point === 0xab || point === 0xbb) return point
  throw new Error(`no U+${point.toString(16)} in this table`)
}

export const ENCODINGS: readonly Encoding[] = ['utf-8', 'utf-16le', 'utf-16be', 'cp866', 'cp1251']
