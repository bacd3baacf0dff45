import { expect, it } from 'vitest'
import { remember } from '../../../relay/codec/bounded-cache.ts'

it('makes a value once until it is full, then forgets', () => {
  const made: string[] = []
  const upper = remember(2, key => {
    made.push(key)
    return key.toUpperCase()
  })
  expect(['a', 'b', 'a', 'b', 'c', 'a'].map(upper)).toEqual(['A', 'B', 'A', 'B', 'C', 'A'])
  expect(made).toEqual(['a', 'b', 'c', 'a'])
})
