import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { lineWriter } from '../../../relay/cli/terminal.ts'

it('drops and counts what a stuck reader leaves waiting', () => {
  const taken: string[] = []
  const pending: (() => void)[] = []
  const stuck = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      taken.push(chunk)
      pending.push(done)
    },
  })
  const write = lineWriter(stuck)
  const long = 'x'.repeat(1024 * 1024)
  for (let line = 0; line < 10; line++) write(long)
  expect(stuck.writableLength).toBeLessThan(6 * 1024 * 1024)
  while (stuck.writableLength > 0) pending.shift()?.()
  write('again')
  pending.shift()?.()
  expect(taken.slice(-2)).toEqual(['(6 lines dropped: the reader of this output was too slow)\n', 'again\n'])
})
