import { fstatSync } from 'node:fs'
import { diskFiles, type SpoolFiles } from '../../agent/spool/files.ts'

const PAGE_BYTES = 4_096

/** The real disk, which can be told that it is full: what has blocks can be written, nothing grows beyond its last page. */
export interface Disk {
  readonly files: SpoolFiles
  isFull: boolean
}

export function openDisk(): Disk {
  const disk: Disk = {
    isFull: false,
    files: {
      ...diskFiles,
      write(handle, bytes, position) {
        if (!disk.isFull) return diskFiles.write(handle, bytes, position)
        const blocks = Math.ceil(fstatSync(handle).size / PAGE_BYTES) * PAGE_BYTES
        const room = Math.max(Math.min(blocks - position, bytes.length), 0)
        diskFiles.write(handle, bytes.subarray(0, room), position)
        if (room < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      },
    },
  }
  return disk
}
