import { beforeEach, describe, expect, it } from 'vitest'
import { EnrolmentRefusedError, UserError } from '../../../agent/error.ts'
import { enrolFromSetup, eraseUnusedCode, type SetupProperties, type SetupStore } from '../../../agent/service/setup.ts'
import { manualClock } from '../support/manual-clock.ts'

const CODE = 'SECRET-CODE-1234'
let code: string | undefined
let proxy: string | undefined
let lines: string[]
const stop = new AbortController().signal
beforeEach(() => {
  code = CODE
  proxy = undefined
  lines = []
})

const store: SetupStore = {
  read: () =>
    code === undefined ? undefined : { relay: 'https://relay.example', code, name: 'БУХ-1С', proxy, ca: undefined },
  hasCode: () => code !== undefined,
  hasSecret: () => (code ?? proxy) !== undefined,
  eraseCode: () => {
    code = undefined
    proxy = undefined
  },
}
const log = (level: string, message: string) => void lines.push(`${level} ${message}`)

/** The attempts end as `answers` say, then well. */
function begin(...answers: Error[]) {
  const clock = manualClock()
  const attempts: { atMs: number; properties: SetupProperties }[] = []
  const enrol = async (properties: SetupProperties) => {
    attempts.push({ atMs: clock.monoMs(), properties })
    const answer = answers.shift()
    if (answer) throw answer
    return { hostId: 'h1' }
  }
  return { clock, attempts, done: enrolFromSetup({ store, enrol, clock, log, random: () => 1 }, stop) }
}

describe('the first start after an installation', () => {
  it('enrols, and erases the code', async () => {
    const { attempts, done } = begin()
    expect(await done).toBe(true)
    expect(attempts[0]?.properties).toMatchObject({ relay: 'https://relay.example', name: 'БУХ-1С' })
    expect(code).toBeUndefined()
    expect(lines).toEqual([
      'info Enrolled as h1 at https://relay.example with the code from the installation; it is erased',
    ])
  })

  it('keeps the code while the relay is out of reach, and says so once', async () => {
    const { clock, attempts, done } = begin(...Array.from({ length: 9 }, () => new UserError('Could not reach it')))
    await clock.pass(3_600_000)
    expect(await done).toBe(true)
    expect(attempts.map(({ atMs }) => atMs / 1000)).toEqual([0, 5, 15, 35, 75, 155, 315, 615, 915, 1215])
    expect(lines).toHaveLength(2)
    expect(lines[0]).toBe('warn Not enrolled yet, tried again and again. Could not reach it')
    expect(code).toBeUndefined()
  })

  it('erases a code that the relay refuses, and repeats it in no line', async () => {
    const { done } = begin(new EnrolmentRefusedError(`The code ${CODE} was used before (enrolment_code_used)`))
    expect(await done).toBe(false)
    expect(code).toBeUndefined()
    expect(lines).toEqual([
      'error The code from the installation is of no use and erased. The code … was used before (enrolment_code_used)',
    ])
  })

  it('ends with a stop, and keeps the code for the next start', async () => {
    const halt = new AbortController()
    const clock = manualClock()
    const enrol = async () => Promise.reject(new UserError('Could not reach it'))
    const done = enrolFromSetup({ store, enrol, clock, log, random: () => 1 }, halt.signal)
    await clock.pass(20_000)
    halt.abort()
    expect(await done).toBe(false)
    expect(code).toBe(CODE)
  })

  it('hides no bug', async () => {
    await expect(begin(new TypeError('a bug')).done).rejects.toThrow('a bug')
  })

  it('says where the code lies when it cannot be erased', async () => {
    const eraseCode = () => {
      throw new Error('access denied')
    }
    const stuck = { ...store, eraseCode }
    const enrol = async () => ({ hostId: 'h1' })
    expect(await enrolFromSetup({ store: stuck, enrol, clock: manualClock(), log, random: () => 1 }, stop)).toBe(true)
    expect(lines[0]).toContain('Software\\onec-agent\\EnrolCode')
    expect(lines.join()).not.toContain(CODE)
  })
})

describe('a code that comes to an enrolled host', () => {
  it.each([CODE, undefined])('is erased, with a line, and a proxy that may hold a password also without it', given => {
    code = given
    proxy = 'http://agent:пароль@proxy.example:3128'
    eraseUnusedCode(store, log)
    expect([code, proxy]).toEqual([undefined, undefined])
    eraseUnusedCode(store, log)
    expect(lines).toHaveLength(1)
  })
})
