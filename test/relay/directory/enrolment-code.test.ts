import { expect, test } from 'vitest'
import { newEnrolmentCode, readEnrolmentCode } from '../../../relay/directory/enrolment-code.ts'

test('a code is four groups of four, different each time', () => {
  const codes = Array.from({ length: 50 }, newEnrolmentCode)
  expect(new Set(codes).size).toBe(50)
  for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
})

test('case, dashes, spaces and look-alikes do not count', async () => {
  const read = await readEnrolmentCode('7K2M-01XR-9TBD-4HWE')
  expect(read?.hint).toBe('7K2M')
  expect(read?.codeHash).toMatch(/^[0-9a-f]{64}$/)
  for (const typed of ['7k2m01xr9tbd4hwe', ' 7K2M OIXR 9TBD 4HWE ', '7k2m-olxr-9tbd-4hwe'])
    expect(await readEnrolmentCode(typed)).toEqual(read)
})

test.each(['', '7K2M', '7K2M-01XR-9TBD-4HWE-0000', '7K2M-01XR-9TBD-4HWU', '7К2М-01ХR-9ТВD-4HWЕ'])(
  '"%s" is no code',
  async typed => {
    expect(await readEnrolmentCode(typed)).toBeUndefined()
  },
)
