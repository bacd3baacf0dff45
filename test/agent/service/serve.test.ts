import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readEnvironment, statePaths, writeEnrolment } from '../../../agent/config.ts'
import { EnrolmentRefusedError, UserError } from '../../../agent/error.ts'
import { serve } from '../../../agent/service/serve.ts'
import type { SetupStore } from '../../../agent/service/setup.ts'
import { manualClock } from '../support/manual-clock.ts'

let directory: string
let lines: string[]
let code: string | undefined
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-serve-'))
  lines = []
  code = 'CODE-1234'
})
afterEach(() => rmSync(directory, { recursive: true }))

const store: SetupStore = {
  read: () =>
    code === undefined
      ? undefined
      : { relay: 'https://r.example', code, name: undefined, proxy: undefined, ca: undefined },
  hasCode: () => code !== undefined,
  hasSecret: () => code !== undefined,
  eraseCode: () => {
    code = undefined
  },
}

/** A service whose way to the relay cannot be opened: that far it gets where the host is enrolled. */
function begin(enrol: () => Promise<{ hostId: string }>, problem: Error = new UserError('ca.pem cannot be read')) {
  const clock = manualClock()
  const stop = new AbortController()
  const running: number[] = []
  const options = {
    paths: statePaths(directory),
    environment: readEnvironment({}),
    clock,
    log: (level: string, message: string) => void lines.push(`${level} ${message}`),
    random: () => 0,
    connect: () => {
      throw problem
    },
    setup: { store, enrol },
  }
  const ended = serve(options, { stop: stop.signal, running: () => running.push(clock.monoMs()) })
  return { clock, stop, running, ended }
}

function writeToken(): void {
  const config = { hostId: 'h1', routes: ['https://r.example'], machineId: 'm'.repeat(32) }
  writeEnrolment(statePaths(directory), config, { revision: 1, config: {} }, 'ohr1.secret')
}

describe('the service of Windows', () => {
  it('is seen running for a while before it stands down, so that an installation takes it for started', async () => {
    code = undefined
    const { clock, running, ended } = begin(async () => ({ hostId: 'never' }))
    await clock.pass(5_000)
    expect(running).toEqual([0])
    await clock.pass(1_000)
    expect(await ended).toBe(0)
    expect(lines).toEqual([expect.stringMatching(/^warn The service stops: This host is not enrolled/)])
  })

  it('enrols with what the installer left, then works', async () => {
    const { ended } = begin(async () => {
      writeToken()
      return { hostId: 'h1' }
    })
    expect(await ended).toBe(2)
    expect(code).toBeUndefined()
    expect(lines).toEqual([expect.stringContaining('Enrolled as h1'), 'error ca.pem cannot be read'])
  })

  it('stands down when the code is refused, and ends at once when it is stopped meanwhile', async () => {
    const { clock, stop, ended } = begin(async () => Promise.reject(new EnrolmentRefusedError('used')))
    await clock.pass(0)
    stop.abort()
    expect(await ended).toBe(0)
    expect(lines).toHaveLength(2)
  })

  it('erases a code that an enrolled host has no use for', async () => {
    writeToken()
    expect(await begin(async () => Promise.reject(new Error('never'))).ended).toBe(2)
    expect(code).toBeUndefined()
  })

  it('takes what the system refuses for no bug', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    writeToken()
    const { ended } = begin(async () => Promise.reject(new Error('never')), full)
    expect(await ended).toBe(2)
    expect(lines.at(-1)).toBe('error ENOSPC: no space left on device, write')
  })

  it('puts a bug into its log, where nobody looks at a stream', async () => {
    const { ended } = begin(async () => Promise.reject(new TypeError('x is not a function')))
    expect(await ended).toBe(1)
    expect(lines[0]).toMatch(/^error A bug ended the service: TypeError: x is not a function/)
  })

  it('takes an error with a code of Node for a bug all the same', async () => {
    writeToken()
    const wrong = Object.assign(new TypeError('The "path" argument must be of type string'), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
    expect(await begin(async () => Promise.reject(new Error('never')), wrong).ended).toBe(1)
    expect(lines.at(-1)).toMatch(/^error A bug ended the service: TypeError: The "path".*\n +at /)
  })
})
