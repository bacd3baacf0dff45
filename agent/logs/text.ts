import { utf8Length } from '../../shared/wire.ts'

export const CUT_MARK = ' … [cut]'

/** At most `maxBytes` of UTF-8, a mark at the end when something is missing; no half of a character is left. */
export function cutText(text: string, maxBytes: number, alreadyCut = false): string {
  const whole = text.length * 3 <= maxBytes || utf8Length(text) <= maxBytes
  if (whole && !alreadyCut) return text
  const room = maxBytes - Buffer.byteLength(CUT_MARK)
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > room) break
    end += character.length
  }
  return text.slice(0, end) + CUT_MARK
}

/** A field of an entry, whose bound counts UTF-16 units. */
export const fieldText = (text: string): string => text.slice(0, 1024).replace(/[\ud800-\udbff]$/, '')
