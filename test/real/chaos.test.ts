import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../support/process.ts'
import { ROOT } from '../support/stack.ts'

/** One short round of the chaos suite, so that it cannot rot between the long ones; `npm run chaos` is the whole. */
test('one round accounts for every snapshot', async () => {
  const chaos = run(process.execPath, [join(ROOT, 'test/chaos/main.ts'), '--rounds', '1', '--seed', '1'], { cwd: ROOT })
  expect(await chaos.ended, chaos.output()).toBe(0)
  expect(chaos.output()).toContain('1 passed, 0 failed')
}, 150_000)
