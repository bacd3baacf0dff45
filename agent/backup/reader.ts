import { type FileHandle, open } from 'node:fs/promises'
import type { FileReader } from './integrity.ts'
import type { Lane } from './lane.ts'

/**
 * Open files that the lane, shut by a call that hangs, would not let be closed, by their paths. The collector must not
 * find them first: Node ends the process for a handle that was forgotten.
 */
const unclosed = new Map<FileHandle, string>()

async function closeAll(lane: Lane): Promise<void> {
  for (const [handle, path] of unclosed) {
    const close = async () => {
      if (unclosed.delete(handle)) await handle.close()
    }
    await lane.run(path, close).catch(() => undefined)
  }
}

/** Opens a file through the lane for the time of `use`. Rejects with `Unreachable` or the system's error. */
export async function readFileBy<T>(
  lane: Lane,
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  use: (reader: FileReader) => Promise<T>,
): Promise<T> {
  let opened: FileHandle | undefined
  let isOver = false
  // One that opens after its deadline has nobody left to close it.
  const opening = async () => {
    const handle = await open(path, 'r')
    if (isOver) await handle.close()
    else opened = handle
    return handle
  }
  try {
    const handle = await lane.run(path, opening)
    return await use({ sizeBytes, read: (position, bytes) => lane.run(path, () => readAt(handle, position, bytes)) })
  } finally {
    isOver = true
    if (opened) unclosed.set(opened, path)
    await closeAll(lane)
  }
}

/** Shorter than `bytes` only at the end of the file. */
async function readAt(handle: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  let filled = 0
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
