import type { Writable } from 'node:stream'

/** Waiting output beyond this is dropped and counted: a stuck log reader must not fill the memory. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024

/** Lines to a process's two outputs. */
export function terminal(stdout: Writable, stderr: Writable): { out(text: string): void; err(text: string): void } {
  return { out: lineWriter(stdout), err: lineWriter(stderr) }
}

/** Writes lines, never waiting; what the reader did not keep up with is replaced by a count of it. */
export function lineWriter(stream: Writable): (text: string) => void {
  let dropped = 0
  // Whoever read has gone (`| head`): nothing is left to tell.
  stream.on('error', () => undefined)
  return text => {
    if (stream.writableLength > MAX_WAITING_BYTES) {
      dropped++
      return
    }
    if (dropped > 0) stream.write(`(${dropped} lines dropped: the reader of this output was too slow)\n`)
    dropped = 0
    stream.write(`${text}\n`)
  }
}
