import { expect, it } from 'vitest'
import { bytes, duration, readBytes, readDuration, seconds } from '../../../relay/cli/wording.ts'

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
  [-5, '0 ms'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

it.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['24 h', 86_400_000],
  ['7d', 604_800_000],
  ['7', undefined],
  ['1w', undefined],
  ['-1h', undefined],
])('%s is read as %s', (text, ms) => {
  expect(readDuration(text)).toBe(ms)
})

it.each([
  ['64KB', 65_536],
  ['128MB', 134_217_728],
  ['1 gb', 1_073_741_824],
  ['128', undefined],
  ['1.5GB', undefined],
  ['-1MB', undefined],
])('%s is read as %s bytes', (text, value) => {
  expect(readBytes(text)).toBe(value)
})

it('bytes keep one digit', () => {
  expect([bytes(0), bytes(1_023), bytes(1_536), bytes(5_000_000_000)]).toEqual(['0 B', '1023 B', '1.5 KB', '4.7 GB'])
})

it('a skew is never minus zero', () => {
  expect([seconds(-20), seconds(-250), seconds(61_040)]).toEqual(['0.0 s', '-0.2 s', '61.0 s'])
})
