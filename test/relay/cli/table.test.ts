import { describe, expect, it } from 'vitest'
import { displayWidth, plainLine, table } from '../../../relay/cli/table.ts'

describe('displayWidth', () => {
  it.each([
    ['БУХ-1С', 6],
    ['«ООО Ромашка»', 13],
    // и + U+0306, as a decomposed file name has it.
    ['Зарплата и\u0306', 10],
    ['数据', 4],
    ['🟢 ok', 5],
    ['', 0],
  ])('%s', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })
})

it('lines columns up whatever the script', () => {
  expect(
    table(
      ['NAME', 'N'],
      [
        ['БУХ-1С', '1'],
        ['и\u0306', null],
        ['数', '22'],
      ],
    ),
  ).toBe(['NAME    N', 'БУХ-1С  1', 'и\u0306       -', '数      22'].join('\n'))
})

it('takes control out of what a far server said', () => {
  expect(plainLine('a\u001b[2Jb\r\nc\u0007')).toBe('ab c')
})
