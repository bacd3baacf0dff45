import { describe, expect, it } from 'vitest'
import {
  decodeFacts,
  encodeFailureActions,
  encodeRestarts,
  imagePath,
  quoteCommand,
  RESTART_AFTER_MS,
} from '../../../agent/service/recovery.ts'

describe('what Windows does after a failure', () => {
  it('is to restart after 5, 30 and 60 seconds, and to forget after a day', () => {
    const actions = encodeRestarts(RESTART_AFTER_MS)
    expect(actions.toString('hex')).toBe(
      ['01000000', '88130000', '01000000', '30750000', '01000000', '60ea0000'].join(''),
    )
    const settings = encodeFailureActions(3)
    expect(settings).toHaveLength(40)
    expect([settings.readUInt32LE(0), settings.readUInt32LE(24)]).toEqual([86_400, 3])
    // No message, no command, and the address is the caller's.
    for (const at of [8, 16, 32]) expect(settings.readBigUInt64LE(at)).toBe(0n)
  })
})

describe('what Windows says of a service', () => {
  const facts = (...words: number[]) => decodeFacts(Buffer.from(Uint32Array.from(words).buffer))

  it('that runs, with its process', () => {
    expect(facts(0x10, 4, 0x105, 0, 0, 0, 0, 1132, 0)).toEqual({ state: 4, exitCode: 0, pid: 1132 })
  })
  it('that ended: its own code, that of Windows, or none before its first start', () => {
    expect(facts(0x10, 1, 0, 1066, 3, 0, 0, 0, 0)).toEqual({ state: 1, exitCode: 3, pid: 0 })
    expect(facts(0x10, 1, 0, 1067, 0, 0, 0, 0, 0).exitCode).toBe(1067)
    expect(facts(0x10, 1, 0, 1077, 0, 0, 0, 0, 0).exitCode).toBe(0)
  })
})

describe('a command line', () => {
  it.each([
    [['--state', 'D:\\Данные агента\\'], '--state "D:\\Данные агента\\\\"'],
    [['D:\\data\\'], 'D:\\data\\'],
    [['a "b" c\\"'], '"a \\"b\\" c\\\\\\""'],
    [['', 'x'], '"" x'],
  ])('%j comes apart into the same words again', (words, line) => expect(quoteCommand(words)).toBe(line))

  it('quotes its program always', () => {
    expect(imagePath('C:\\Program Files\\onec-agent\\onec-agent.exe', ['service', 'run'])).toBe(
      '"C:\\Program Files\\onec-agent\\onec-agent.exe" service run',
    )
    expect(imagePath('C:\\a.exe', [])).toBe('"C:\\a.exe"')
  })
})
