import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { isThreadBusy } from '../../agent/exit.ts'

const EXIT = new URL('../../agent/exit.ts', import.meta.url).href

async function end(before: string, call = 'endProcess') {
  const script = `import { ${call} } from '${EXIT}'; import { open, statfs } from 'node:fs/promises'; ${before}; ${call}(7)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { timeout: 15_000 })
  return (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
}

it('ends with its code', async () => {
  expect(await end('')).toEqual([7, null])
})

it('ends with its code right behind a call that has ended', async () => {
  expect(await end(`await statfs('/')`, 'endAfterOutput')).toEqual([7, null])
})

it('ends although a call hangs in a file system that does not answer', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'onec-exit-'))
  // Opened for reading it waits for a writer, as a dead NAS is waited for.
  execFileSync('mkfifo', [path.join(directory, 'nas')])
  expect(await end(`open('${directory}/nas'); await new Promise(done => setTimeout(done, 50))`)).toEqual([
    null,
    'SIGKILL',
  ])
  rmSync(directory, { recursive: true })
})

it.each([
  [['Timeout', 'TCPSocketWrap'], 0, false],
  [['Timeout', 'FSReqPromise'], 0, true],
  [['GetAddrInfoReqWrap'], 0, true],
  [[], 1, true],
] as const)('%j with %i foreign calls waits for a thread: %s', (resources, foreignCalls, busy) => {
  expect(isThreadBusy(resources, foreignCalls)).toBe(busy)
})
