import { describe, expect, it } from 'vitest'
import { enter, parsePattern, startPlaces } from '../../../agent/logs/pattern.ts'

/** Whether a file, its folders given below the pattern's root, is meant. */
function means(pattern: string, names: readonly string[], windows: boolean): boolean {
  const parsed = parsePattern(pattern, windows)
  if (!parsed) throw new Error('no pattern')
  let places = startPlaces(parsed)
  for (const folder of names.slice(0, -1)) places = enter(parsed, places, folder).inside
  return enter(parsed, places, names.at(-1) ?? '').file
}

describe('parsePattern', () => {
  it.each([
    ['/var/log/app.log', false, '/var/log/app.log', 0],
    ['/var/log/*.log', false, '/var/log', 1],
    ['D:\\Логи\\**\\*.log', true, 'D:\\Логи', 2],
    ['D:/Логи/сегодня.log', true, 'D:\\Логи\\сегодня.log', 0],
    ['\\\\nas\\логи\\1с\\*.log', true, '\\\\nas\\логи\\1с', 1],
    ['/logs/**', false, '/logs', 2],
  ])('%s begins in a folder without wildcards', (text, windows, root, steps) => {
    const pattern = parsePattern(text, windows)
    expect(pattern?.root).toBe(root)
    expect(pattern?.steps).toHaveLength(steps)
  })

  it.each([
    ['logs/app.log', false],
    ['logs\\app.log', true],
    ['D:app.log', true],
  ])('%s is not absolute', (text, windows) => {
    expect(parsePattern(text, windows)).toBeUndefined()
  })
})

describe('what a pattern means', () => {
  it.each([
    ['/l/*.log', ['a.log'], true],
    ['/l/*.log', ['a.log.1'], false],
    ['/l/*.log', ['b', 'a.log'], false],
    ['/l/**/*.log', ['a.log'], true],
    ['/l/**/*.log', ['rphost_1', 'глубже', '24010112.log'], true],
    ['/l/**/rphost_*/*.log', ['rphost_77', '24010112.log'], true],
    ['/l/**/rphost_*/*.log', ['ragent_77', '24010112.log'], false],
    ['/l/**/rphost_*/*.log', ['a', 'rphost_77', 'b', '24010112.log'], false],
    ['/l/журнал-????.txt', ['журнал-2024.txt'], true],
    ['/l/журнал-????.txt', ['журнал-24.txt'], false],
    ['/l/a[1]{2}+(x).*', ['a[1]{2}+(x).log'], true],
    ['/l/*.log', ['A.LOG'], false],
    ['/l/**', ['a', 'b.txt'], true],
  ])('%s and %j: %s', (pattern, names, expected) => {
    expect(means(pattern, names, false)).toBe(expected)
  })

  it('goes by names of any case on Windows', () => {
    expect(means('D:\\логи\\*.LOG', ['ЖУРНАЛ.log'], true)).toBe(true)
  })

  it('is quick with many stars and a long name', () => {
    expect(means(`/l/${'*a'.repeat(40)}***.log`, ['a'.repeat(255)], false)).toBe(false)
  })
})
