import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { readStdin } from '../../../agent/cli/connection.ts'

it('takes one line of a person, whose console may know no end of input', async () => {
  const typed = Object.assign(new PassThrough(), { isTTY: true })
  const read = readStdin(typed)
  typed.write('пароль ')
  typed.write('1С\r\n')
  expect(await read).toBe('пароль 1С\r\n')
  expect(typed.destroyed).toBe(true)
})

it('takes all of what another program gives, in the encoding that Windows writes', async () => {
  const given = new PassThrough()
  given.end(Buffer.from('\ufeffдве\r\nстроки\r\n', 'utf16le'))
  expect(await readStdin(given)).toBe('две\r\nстроки\r\n')
})
