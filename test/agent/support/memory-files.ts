import path from 'node:path'
import type { SpoolFiles } from '../../../agent/spool/files.ts'

/** The process is gone at this call: nothing after it happened. */
export class Crash extends Error {}

interface MemoryFile {
  now: Buffer
  /** What a power cut leaves. */
  synced: Buffer
  /** Bytes that have blocks on disk: in-place writes into them need no room. */
  blocks: number
}

/**
 * A disk in memory that can be full, and that can lose its process or its power at any call. `calls` counts the calls
 * that change something; a write that is cut by a crash leaves half of its bytes.
 */
export class MemoryDisk {
  files = new Map<string, MemoryFile>()
  /** Names that a power cut leaves, with the file behind each. */
  durable = new Map<string, MemoryFile>()
  calls = 0
  crashAt = Number.POSITIVE_INFINITY
  freeBytes = Number.POSITIVE_INFINITY
  failing: string | undefined
  private readonly handles = new Map<number, MemoryFile>()
  private nextHandle = 3

  /** What is left when only the process dies, or the power too. */
  survive(kind: 'kill' | 'power'): MemoryDisk {
    const disk = new MemoryDisk()
    const names = kind === 'kill' ? this.files : this.durable
    for (const [name, file] of names) {
      const bytes = Buffer.from(kind === 'kill' ? file.now : file.synced)
      const copy = { now: bytes, synced: Buffer.from(bytes), blocks: bytes.length }
      disk.files.set(name, copy)
      disk.durable.set(name, copy)
    }
    return disk
  }

  get port(): SpoolFiles {
    return {
      list: directory =>
        [...this.files.keys()].filter(name => path.dirname(name) === directory).map(name => path.basename(name)),
      read: name => {
        const file = this.files.get(name)
        return file && Buffer.from(file.now)
      },
      open: name => {
        const file = this.files.get(name) ?? { now: Buffer.alloc(0), synced: Buffer.alloc(0), blocks: 0 }
        if (!this.files.has(name)) this.step()
        this.files.set(name, file)
        this.handles.set(this.nextHandle, file)
        return this.nextHandle++
      },
      write: (handle, bytes, position) => this.write(this.fileOf(handle), bytes, position),
      sync: handle => {
        this.step()
        const file = this.fileOf(handle)
        file.synced = Buffer.from(file.now)
      },
      truncate: (handle, sizeBytes) => {
        this.step()
        const file = this.fileOf(handle)
        this.freeBytes += Math.max(file.blocks - sizeBytes, 0)
        file.blocks = Math.min(file.blocks, sizeBytes)
        file.now = Buffer.from(file.now.subarray(0, sizeBytes))
      },
      close: handle => this.handles.delete(handle),
      remove: name => {
        this.step()
        this.freeBytes += this.files.get(name)?.blocks ?? 0
        this.files.delete(name)
      },
      syncDirectory: directory => {
        this.step()
        for (const name of this.durable.keys())
          if (path.dirname(name) === directory && !this.files.has(name)) this.durable.delete(name)
        for (const [name, file] of this.files) if (path.dirname(name) === directory) this.durable.set(name, file)
      },
    }
  }

  private step(): void {
    if (this.failing) throw Object.assign(new Error(this.failing), { code: this.failing })
    if (++this.calls === this.crashAt) throw new Crash()
  }

  private fileOf(handle: number): MemoryFile {
    const file = this.handles.get(handle)
    if (!file) throw new Error('a closed handle')
    return file
  }

  private write(file: MemoryFile, bytes: Uint8Array, position: number): void {
    const crashed = this.calls + 1 === this.crashAt
    const needed = Math.max(position + bytes.length - file.blocks, 0)
    const room = needed <= this.freeBytes ? bytes.length : Math.max(bytes.length - (needed - this.freeBytes), 0)
    const written = bytes.subarray(0, crashed ? Math.floor(room / 2) : room)
    const end = position + written.length
    const grown = Buffer.alloc(Math.max(file.now.length, end))
    file.now.copy(grown)
    grown.set(written, position)
    file.now = grown
    this.freeBytes -= Math.max(end - file.blocks, 0)
    file.blocks = Math.max(file.blocks, end)
    this.step()
    if (room < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }
}
