import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { opendir, open as openFile, stat } from 'node:fs/promises'
import { systemCode } from '../error.ts'

export interface FileFacts {
  /** Volume and file number (on Windows the index of the NTFS record); empty where there is none. */
  readonly identity: string
  readonly sizeBytes: number
  readonly mtimeMs: number
  /** 0 where the file system does not say. */
  readonly birthtimeMs: number
}

export interface Name {
  readonly name: string
  readonly kind: 'file' | 'folder'
}

export interface OpenLog {
  readonly facts: FileFacts
  /** As much as is there, at most the whole of `into`; returns how many bytes. */
  read(into: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

/** The disk as the follower uses it. A call may hang for good on a dead network path: whoever calls has a deadline. */
export interface LogDisk {
  /** At most `limit` names; undefined when there is no such folder. */
  list(folder: string, limit: number): Promise<readonly Name[] | undefined>
  /** Undefined when there is no such file, or it is none that has lines (a folder, a device, a pipe). */
  stat(path: string): Promise<FileFacts | undefined>
  /**
   * Shares the file with everyone: on Windows libuv opens with FILE_SHARE_READ, WRITE and DELETE, so that neither the
   * writer nor a rotation that renames it is held up.
   */
  open(path: string): Promise<OpenLog | undefined>
}

export const logDisk: LogDisk = {
  list: (folder, limit) => unlessGone(() => listNames(folder, limit)),
  async stat(path) {
    const facts = await unlessGone(() => stat(path, { bigint: true }))
    return facts?.isFile() ? factsOf(facts) : undefined
  },
  async open(path) {
    const handle = await unlessGone(() => openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
    if (!handle) return undefined
    const facts = await handle.stat({ bigint: true })
    if (!facts.isFile()) {
      await handle.close()
      return undefined
    }
    return {
      facts: factsOf(facts),
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      close: () => handle.close(),
    }
  },
}

async function listNames(folder: string, limit: number): Promise<Name[]> {
  const names: Name[] = []
  // `for await` closes the directory, also when it is left early.
  for await (const entry of await opendir(folder, { bufferSize: 256 })) {
    if (names.length >= limit) break
    // A link to a file may be a log; a link to a folder could lead round in circles.
    if (entry.isDirectory()) names.push({ name: entry.name, kind: 'folder' })
    else if (entry.isFile() || entry.isSymbolicLink()) names.push({ name: entry.name, kind: 'file' })
  }
  return names
}

async function unlessGone<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function factsOf(stats: BigIntStats): FileFacts {
  return {
    identity: stats.ino === 0n ? '' : `${stats.dev}:${stats.ino}`,
    sizeBytes: Number(stats.size),
    mtimeMs: Number(stats.mtimeMs),
    birthtimeMs: Number(stats.birthtimeMs),
  }
}
