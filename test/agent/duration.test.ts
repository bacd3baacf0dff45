import { expect, it } from 'vitest'
import { parseDuration } from '../../agent/duration.ts'

it.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['', undefined],
  ['2d', undefined],
  ['-1s', undefined],
])('reads %j', (text, expected) => expect(parseDuration(text)).toBe(expected))
