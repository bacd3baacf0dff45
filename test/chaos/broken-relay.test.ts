import { readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { BREAKS, breakRelay } from './broken-relay.ts'

test.each(BREAKS)('%s finds its piece of the source', async kind => {
  const file = await breakRelay(kind)
  expect(readFileSync(file, 'utf8')).toContain('TenantObject')
  rmSync(dirname(file), { recursive: true })
})
