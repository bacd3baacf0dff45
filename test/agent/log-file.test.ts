import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LogDisk, openLogFile } from '../../agent/log-file.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

/** A disk in memory, whose files can be held by a viewer as on Windows, and which can be full. */
class FakeDisk implements LogDisk {
  readonly files = new Map<string, string>()
  readonly held = new Set<string>()
  freeBytes = Number.POSITIVE_INFINITY
  openHandles = 0
  private readonly names: string[] = []

  open(file: string) {
    if (!this.files.has(file)) this.files.set(file, '')
    this.openHandles++
    return { handle: this.names.push(file) - 1, sizeBytes: Buffer.byteLength(this.textOf(file)) }
  }
  write(handle: number, bytes: Uint8Array) {
    if (this.freeBytes === 0) throw failure('ENOSPC')
    const written = Buffer.from(bytes.subarray(0, this.freeBytes))
    this.freeBytes -= written.length
    const file = this.names[handle] ?? ''
    this.files.set(file, this.textOf(file) + written.toString())
    return written.length
  }
  close() {
    this.openHandles--
  }
  exists(file: string) {
    return this.files.has(file)
  }
  rename(from: string, to: string) {
    if (this.held.has(from) || this.held.has(to)) throw failure('EPERM')
    this.files.set(to, this.textOf(from))
    this.files.delete(from)
  }
  remove(file: string) {
    if (this.held.has(file)) throw failure('EBUSY')
    this.files.delete(file)
  }
  textOf(file: string): string {
    const text = this.files.get(file)
    if (text === undefined) throw failure('ENOENT')
    return text
  }
}

const open = (disk: FakeDisk, maxBytes = 10) => openLogFile({ file: '/l/agent.log', disk, maxBytes, files: 3 })
const line = (index: number) => `line ${index}\n`

describe('the log file', () => {
  it('goes on where it ended, and keeps the newest files', () => {
    const disk = new FakeDisk()
    for (let index = 0; index < 5; index++) open(disk, 14).write(line(index))
    expect([...disk.files]).toEqual([
      ['/l/agent.2.log', 'line 0\nline 1\n'],
      ['/l/agent.1.log', 'line 2\nline 3\n'],
      ['/l/agent.log', 'line 4\n'],
    ])
    const log = open(disk, 14)
    for (let index = 5; index < 9; index++) log.write(line(index))
    expect(disk.files.size).toBe(3)
    expect(disk.textOf('/l/agent.2.log')).toBe('line 4\nline 5\n')
  })

  it('takes a line that is longer than a file', () => {
    const disk = new FakeDisk()
    const log = open(disk)
    log.write('0123456789ABCDE\n')
    log.write('next\n')
    expect(disk.textOf('/l/agent.1.log')).toBe('0123456789ABCDE\n')
    expect(disk.textOf('/l/agent.log')).toBe('next\n')
  })

  it('goes on in the same file while a viewer holds one, loses nothing, and shifts when it is free', () => {
    const disk = new FakeDisk()
    const log = open(disk, 14)
    for (let index = 0; index < 4; index++) log.write(line(index))
    disk.held.add('/l/agent.1.log')
    for (let index = 4; index < 6; index++) log.write(line(index))
    expect([...disk.files.values()].join('').split('\n').sort().filter(Boolean)).toHaveLength(6)
    expect(disk.files.has('/l/agent.1.log')).toBe(true)
    disk.held.clear()
    log.write(line(6))
    expect(disk.files.size).toBe(3)
    expect(disk.textOf('/l/agent.log')).toBe('line 6\n')
    expect(disk.textOf('/l/agent.1.log')).toBe('line 2\nline 3\nline 4\nline 5\n')
  })

  it('is bounded however long somebody holds it, and says what it lost', () => {
    const disk = new FakeDisk()
    const log = open(disk, 100)
    disk.held.add('/l/agent.log')
    for (let index = 0; index < 1_000; index++) log.write(line(index))
    expect(disk.textOf('/l/agent.log').length).toBeLessThanOrEqual(200)
    disk.held.clear()
    log.write('again\n')
    expect(disk.textOf('/l/agent.log')).toMatch(/^\d+ log lines before this one are lost: .*\nagain\n$/)
    expect(disk.openHandles).toBe(1)
  })

  it('outlives a full disk, and says what it lost on a line of its own', () => {
    const disk = new FakeDisk()
    const log = open(disk, 1_000)
    log.write(line(0))
    disk.freeBytes = 3
    for (let index = 1; index < 4; index++) log.write(line(index))
    disk.freeBytes = 1_000
    log.write(line(4))
    log.write(line(5))
    expect(disk.textOf('/l/agent.log')).toBe(
      'line 0\nlin\n3 log lines before this one are lost: they could not be written\nline 4\nline 5\n',
    )
    expect(disk.openHandles).toBe(1)
  })

  it('is private, and in UTF-8, on a real disk', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'onec-log-'))
    const file = path.join(directory, 'logs', 'agent.log')
    const log = openLogFile({ file, maxBytes: 40, files: 2 })
    for (let index = 0; index < 4; index++) log.write(`строка ${index}\n`)
    expect(readdirSync(path.dirname(file)).sort()).toEqual(['agent.1.log', 'agent.log'])
    expect(readFileSync(file, 'utf8')).toMatch(/^строка 2\nстрока 3\n$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    rmSync(directory, { recursive: true })
  })
})
