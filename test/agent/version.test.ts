import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { VERSION } from '../../agent/version.ts'

it('is the version of the package', () => {
  expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})
