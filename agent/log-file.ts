import { closeSync, existsSync, fstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { Clock } from './clock.ts'
import { systemCode } from './error.ts'
import { makePrivateDirectory } from './file.ts'
import { createLog, type Log } from './log.ts'

/** Lines are few (one a minute): five files of this size hold months, and bound what the agent takes of the disk. */
export const LOG_FILE_BYTES = 5 * 1024 * 1024
export const LOG_FILES = 5

/** What a log file asks of the disk. All throw the system's error. */
export interface LogDisk {
  /** For appending; made when it is not there. */
  open(file: string): { readonly handle: number; readonly sizeBytes: number }
  /** Bytes that were written, which may be fewer. */
  write(handle: number, bytes: Uint8Array): number
  close(handle: number): void
  exists(file: string): boolean
  rename(from: string, to: string): void
  remove(file: string): void
}

export const logDisk: LogDisk = {
  open(file) {
    makePrivateDirectory(path.dirname(file))
    const handle = openSync(file, 'a', 0o600)
    return { handle, sizeBytes: fstatSync(handle).size }
  },
  write: (handle, bytes) => writeSync(handle, bytes),
  close: closeSync,
  exists: existsSync,
  rename: renameSync,
  remove: unlinkSync,
}

export interface LogFileOptions {
  readonly file: string
  readonly disk?: LogDisk
  readonly maxBytes?: number
  /** Files in all, the one that is written to included. */
  readonly files?: number
}

/** Where lines go; never throws. What cannot be written is counted, and the count is the first line that can. */
export interface LogFile {
  write(text: string): void
}

/**
 * `agent.log`, then `agent.1.log` (the newest full one) to `agent.4.log`. Lines are written at once and whole, so that
 * the last one before a crash is there; they are few, and a disk that hangs would hold up the spool as well.
 */
export function openLogFile(options: LogFileOptions): LogFile {
  const { file, disk = logDisk, maxBytes = LOG_FILE_BYTES, files = LOG_FILES } = options
  let opened: { handle: number; sizeBytes: number } | undefined
  let lost = 0
  let torn = false
  /** A rotation that failed is tried again only after this size. */
  let rotateAtBytes = maxBytes

  function close(): void {
    const handle = opened?.handle
    opened = undefined
    if (handle !== undefined) disk.close(handle)
  }

  function rotate(): void {
    close()
    try {
      shift(disk, file, files)
      rotateAtBytes = maxBytes
    } catch (error) {
      // Somebody holds one of the files (Windows): go on in this one, and try again a little later.
      if (systemCode(error) === undefined) throw error
      rotateAtBytes = Math.min(rotateAtBytes + Math.ceil(maxBytes / 16), 2 * maxBytes)
    }
  }

  function append(bytes: Buffer): void {
    opened ??= { ...disk.open(file) }
    if (opened.sizeBytes > 0 && opened.sizeBytes + bytes.length > rotateAtBytes) {
      rotate()
      opened ??= { ...disk.open(file) }
    }
    // However long somebody holds the files: in all never more than one file above the bound.
    if (opened.sizeBytes + bytes.length > 2 * maxBytes) throw new LogFull()
    const written = disk.write(opened.handle, bytes)
    opened.sizeBytes += written
    torn = written < bytes.length
    if (torn) throw new LogFull()
  }

  return {
    write(text) {
      const said = lost > 0 ? `${lost} log lines before this one are lost: they could not be written\n` : ''
      try {
        append(Buffer.from(`${torn ? '\n' : ''}${said}${text}`))
        lost = 0
      } catch (error) {
        if (systemCode(error) === undefined && !(error instanceof LogFull)) throw error
        lost++
        forget()
      }
    },
  }

  /** After an error the handle may be of no use (a share that went away): the next line opens the file anew. */
  function forget(): void {
    try {
      close()
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }
}

/** The log of a service, which has no streams: `agent.log` in this directory. */
export function createFileLog(directory: string, clock: Clock): Log {
  const file = openLogFile({ file: path.join(directory, 'agent.log') })
  return createLog(clock, { out: file, err: file })
}

class LogFull extends Error {}

/** Makes room for a new file: moves each one up to the first gap, which a shift that was cut short may have left. */
function shift(disk: LogDisk, file: string, files: number): void {
  const { dir, name, ext } = path.parse(file)
  const at = (index: number): string => (index === 0 ? file : path.join(dir, `${name}.${index}${ext}`))
  let gap = 1
  while (gap < files - 1 && disk.exists(at(gap))) gap++
  if (disk.exists(at(gap))) disk.remove(at(gap))
  for (let index = gap; index > 0; index--) disk.rename(at(index - 1), at(index))
}
