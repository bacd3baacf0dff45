import { expect, test } from 'vitest'
import { afterOrigin, type Clone, isClone, type Origins } from '../../../relay/tenant/clones.ts'
import { idOf } from './fixtures.ts'

const BOOTS = { a: 'f0e1d2c3-0000-4000-8000-000000000001', b: '0a1b2c3d-0000-4000-8000-000000000002' }

/** A batch of a spool, named by a letter, in a boot. */
const from = (spool: string, bootId: string = BOOTS.a) => ({
  spool: { id: idOf(spool.charCodeAt(0)) },
  agent: { bootId },
})
const spoolOf = (spool: string): Clone => ({ spoolId: from(spool).spool.id, bootId: null })

/** What is known after these batches; those of a copy that is kept out are not stored. */
function after(sources: readonly ReturnType<typeof from>[]) {
  let known: Origins = { origins: [], clones: [] }
  for (const source of sources) if (!isClone(known.clones, source)) known = afterOrigin(known, source)
  return known
}

const spools = (letters: string) => [...letters].map(letter => from(letter))

test.each([
  ['one spool', 'aaaa'],
  ['a spool made anew', 'aab'],
  ['a machine restored', 'aba'],
  ['restored, and the spool made anew again', 'abac'],
  ['restored twice', 'abaca'],
  ['made anew eight times', 'abcdefgh'],
])('no alarm: %s', (_, letters) => {
  expect(after(spools(letters)).clones).toEqual([])
})

test.each([
  ['two machines', 'abab', 'b'],
  ['two machines, some posts each', 'aaabbaab', 'b'],
  ['the one seen first stays, whoever posted last', 'ccbcb', 'b'],
  ['after spools of other times', 'xyabab', 'b'],
  ['three machines', 'abcabcabc', 'bc'],
  ['six machines that take turns', 'abcdefabcdefabcdef', 'bcdef'],
])('%s: the newcomers are kept out', (_, letters, copies) => {
  const { clones } = after(spools(letters))
  expect(clones).toEqual([...copies].map(spoolOf))
  for (const letter of copies) expect(isClone(clones, from(letter, 'another boot'))).toBe(true)
  expect(isClone(clones, from('a', 'another boot'))).toBe(false)
})

test('a full copy has the spool of the original: its boot tells them apart', () => {
  const both = [from('a', BOOTS.a), from('a', BOOTS.b)]
  const { clones } = after([...both, ...both])
  expect(clones).toEqual([{ spoolId: spoolOf('a').spoolId, bootId: BOOTS.b.slice(0, 8) }])
  expect(isClone(clones, from('a', BOOTS.b))).toBe(true)
  expect(isClone(clones, from('a', BOOTS.a))).toBe(false)
  expect(after([...both, from('a', BOOTS.a), from('a', 'third')]).clones, 'restored, then booted').toEqual([])
})

test('reboots are no copies, also where a boot is named by its minute and read a little different', () => {
  const boots = ['boot-29923000', 'boot-29923001', 'boot-29923000', 'boot-29923001', 'boot-29923000']
  const { origins, clones } = after(boots.map(bootId => from('a', bootId)))
  expect([origins.length, clones]).toEqual([1, []])
  expect(after(['1a', '2a', '3a', '4a', '5a', '6a', '7a', '8a', '9a'].map(bootId => from('a', bootId))).clones).toEqual(
    [],
  )
  const copies = ['boot-29923000', 'boot-29955000', 'boot-29923001', 'boot-29955001']
  expect(after(copies.map(bootId => from('a', bootId))).clones).toMatchObject([{ bootId: '29955000' }])
})

test('the history and the copies are bounded', () => {
  expect(after(spools('abcdefghijklmnop')).origins).toHaveLength(8)
  const many = Array.from({ length: 20 }, (_, index) => String.fromCharCode(98 + index))
  const { clones } = after(many.flatMap(letter => spools(`a${letter}a${letter}a`)))
  expect(clones).toEqual(many.slice(-16).map(spoolOf))
})
