import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { syncDirectory } from '../file.ts'

/**
 * The disk as the spool uses it: each call has happened when it returns, or throws the system's error. Synchronous on
 * purpose: the order of writes is the product here, and one snapshot a minute blocks nobody.
 */
export interface SpoolFiles {
  /** Names in a directory, made when it is not there. */
  list(directory: string): string[]
  /** Absent when there is no such file. */
  read(file: string): Buffer | undefined
  /** Opens for writing in place; creates the file when it is not there. */
  open(file: string): number
  /** All of `bytes`, or an error. */
  write(handle: number, bytes: Uint8Array, position: number): void
  sync(handle: number): void
  truncate(handle: number, sizeBytes: number): void
  close(handle: number): void
  remove(file: string): void
  /** Makes created and removed names durable. */
  syncDirectory(directory: string): void
}

export const diskFiles: SpoolFiles = {
  list(directory) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return readdirSync(directory)
  },
  read(file) {
    try {
      return readFileSync(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  },
  open: file => openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600),
  write(handle, bytes, position) {
    for (let done = 0; done < bytes.length; )
      done += writeSync(handle, bytes, done, bytes.length - done, position + done)
  },
  sync: handle => fsyncSync(handle),
  truncate: (handle, sizeBytes) => ftruncateSync(handle, sizeBytes),
  close: handle => closeSync(handle),
  remove: file => rmSync(file, { force: true }),
  syncDirectory,
}
