import { describe, expect, it } from 'vitest'
import { openSlots } from '../../../agent/spool/slots.ts'
import { Crash, MemoryDisk } from '../support/memory-files.ts'

const FILE = '/spool/state'
const reread = (disk: MemoryDisk) => openSlots(disk.port, FILE).value

describe('slots', () => {
  it('gives the newest value after each write', () => {
    const disk = new MemoryDisk()
    const slots = openSlots(disk.port, FILE)
    expect(slots.value).toBeUndefined()
    for (const value of [{ n: 1 }, { n: 2 }, { n: 3, name: 'Зарплата' }]) {
      slots.write(value)
      expect(reread(disk.survive('power'))).toEqual(value)
    }
  })

  it('falls back to the value before when the newest is damaged anywhere', () => {
    const disk = new MemoryDisk()
    const slots = openSlots(disk.port, FILE)
    slots.write({ n: 1 })
    slots.write({ n: 2 })
    for (let at = 0; at < 23; at++) {
      const damaged = disk.survive('kill')
      const bytes = damaged.files.get(FILE)?.now
      bytes?.writeUInt8(bytes.readUInt8(at) ^ 0x01, at)
      expect(reread(damaged), `byte ${at}`).toEqual({ n: 1 })
    }
  })

  it('is the old or the new value after a crash at any call', () => {
    for (const kind of ['kill', 'power'] as const)
      for (let crashAt = 1; crashAt < 12; crashAt++) {
        const disk = new MemoryDisk()
        disk.crashAt = crashAt
        let written = 0
        try {
          const slots = openSlots(disk.port, FILE)
          for (const n of [1, 2, 3]) {
            slots.write({ n })
            written = n
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Crash)
        }
        const value = reread(disk.survive(kind)) as { n: number } | undefined
        expect([written, written + 1], `${kind} at ${crashAt}`).toContain(value?.n ?? 0)
      }
  })

  it('writes on a full disk once it is there', () => {
    const disk = new MemoryDisk()
    const slots = openSlots(disk.port, FILE)
    disk.freeBytes = 0
    slots.write({ n: 1 })
    slots.write({ n: 2 })
    expect(reread(disk.survive('power'))).toEqual({ n: 2 })
  })
})
