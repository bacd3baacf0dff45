import { expect, it } from 'vitest'
import { findJsonTrouble } from '../../agent/json.ts'

it.each([
  ['{"a": x}', '1:7'],
  ['{\n  "a": 1,\n  "пароль": "D:\\Бэкап"\n}', '3:17'],
  ['{"a": 1\n "b": 2}', '2:2'],
  ['{"a": 1,}', '1:9'],
  ['[1, 2', '1:6'],
  ['{"a": "не кончено', '1:18'],
  ['{"a": tru}', '1:10'],
  ['', '1:1'],
  ['{"a": 1} x', '1:10'],
  ['\u201ca\u201d', '1:1'],
])('%j is no JSON from %s on', (text, at) => {
  expect(findJsonTrouble(text)).toBe(at)
})

it.each(['{"a": [1, "б"]}', '0', 'null', ' \n[]\n'])('%j is JSON', text => {
  expect(findJsonTrouble(text)).toBeUndefined()
})
