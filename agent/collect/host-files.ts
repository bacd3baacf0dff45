import { access, readdir, readFile, realpath, statfs } from 'node:fs/promises'

/** Bytes of a volume as `df` has them. */
export interface Space {
  readonly totalBytes: number
  readonly usedBytes: number
  /** What programs may still write: space reserved for root is neither free nor used. */
  readonly freeBytes: number
}

/** The little of a file system that collectors need; tests hand in fixtures. */
export interface HostFiles {
  readText(path: string): Promise<string>
  readBytes(path: string): Promise<Buffer>
  /** Names in a directory. */
  list(path: string): Promise<string[]>
  exists(path: string): Promise<boolean>
  /** The path behind all symbolic links; absent when there is none. */
  resolve(path: string): Promise<string | undefined>
  space(path: string): Promise<Space>
}

export const hostFiles: HostFiles = {
  readText: path => readFile(path, 'utf8'),
  readBytes: path => readFile(path),
  list: path => readdir(path),
  exists: path =>
    access(path).then(
      () => true,
      () => false,
    ),
  resolve: path => realpath(path).catch(() => undefined),
  async space(path) {
    const { bsize, blocks, bfree, bavail } = await statfs(path)
    return { totalBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize }
  },
}
