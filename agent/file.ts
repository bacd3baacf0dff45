import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { systemCode } from './error.ts'

/** Between the attempts; the agent stands still meanwhile. */
const HELD_WAITS_MS = [5, 20, 50, 100, 200]

/**
 * Replaces a file whole: after a crash it is the old one or the new one. Private to its owner unless `mode` says
 * otherwise. Throws the system's error, with no half-written file left behind.
 */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, content, { mode, flush: true })
    rename(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncDirectory(path.dirname(file))
}

function rename(from: string, to: string): void {
  if (process.platform === 'win32') untilFree(() => renameSync(from, to), sleepSync)
  else renameSync(from, to)
}

/** On Windows a reader or a virus scanner that holds a file makes a call fail for a moment: it is tried again, with waits. */
export function untilFree(call: () => void, wait: (ms: number) => void): void {
  for (const waitMs of HELD_WAITS_MS) {
    try {
      call()
      return
    } catch (error) {
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(systemCode(error) ?? '')) throw error
    }
    wait(waitMs)
  }
  call()
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Makes created, renamed and removed names in a directory durable. Windows has no such call and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** The file's text, absent when there is no such file. */
export const readTextIfThere = (file: string): string | undefined =>
  readIfThere(name => readFileSync(name, 'utf8'), file)

/** What `read` makes of the file, absent when there is no such file. */
export function readIfThere<T>(read: (file: string) => T, file: string): T | undefined {
  try {
    return read(file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

export function removeIfThere(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

export const makePrivateDirectory = (directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}
