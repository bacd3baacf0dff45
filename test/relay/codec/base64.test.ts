import { expect, it } from 'vitest'
import { base64, base64Url } from '../../../relay/codec/base64.ts'

it.each(['', 'a', 'ab', 'abc', 'ООО Ромашка', '🚀>>>???', '\u00ff\u00fe'])('encodes %j as Node does', text => {
  expect(base64(text)).toBe(Buffer.from(text).toString('base64'))
  expect(base64Url(text)).toBe(Buffer.from(text).toString('base64url'))
})
