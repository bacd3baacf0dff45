import { stripVTControlCharacters } from 'node:util'

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** East Asian wide and fullwidth forms, and emoji: two columns in a terminal. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Columns that `text` takes in a terminal. Cyrillic takes one a letter, however many code units it is written with. */
export function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** One line without terminal control: the words of a far server must not move anybody's cursor. */
export function plainLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
}

/** Rows under their header, columns two spaces apart; `-` for what is unknown. */
export function table(header: readonly string[], rows: readonly (readonly (string | null | undefined)[])[]): string {
  const cells = [header, ...rows].map(row => row.map(cell => plainLine(cell ?? '') || '-'))
  const widths = header.map((_, column) => Math.max(...cells.map(row => displayWidth(row[column] ?? ''))))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell))).join('  ')
  return cells.map(row => line(row).trimEnd()).join('\n')
}
