import type { FileFacts, LogDisk, Name } from './disk.ts'
import { enter, type PathPattern, type Places, startPlaces } from './pattern.ts'

export interface FoundFile extends FileFacts {
  readonly path: string
}

export interface Scan {
  readonly files: readonly FoundFile[]
  /** The folder that the pattern begins in is there, or the file itself. */
  readonly there: boolean
  /** More names than one look goes through: some of the files may be missing. */
  readonly truncated: boolean
  /** Files and folders below it that the system does not show: one of them must not hold up all others. */
  readonly unread: readonly { readonly path: string; readonly error: unknown }[]
}

/** A rotation packs old files: they hold no lines. */
const PACKED = /\.(?:gz|zip|7z|bz2|xz|zst|rar|tgz)$/i

/** Names that one look at a pattern goes through. */
const MAX_NAMES = 5_000

/** The files that a pattern means now. Throws the system's error when the folder it begins in, or a single file, cannot be read. */
export async function scanPattern(disk: LogDisk, pattern: PathPattern, separator: string): Promise<Scan> {
  const single = pattern.steps.length === 0
  const walk = single
    ? { paths: [pattern.root], names: 1, there: true, unread: [] }
    : await walkFolders(disk, pattern, separator)
  const files: FoundFile[] = []
  const unread = [...walk.unread]
  for (const path of walk.paths) {
    try {
      const facts = await disk.stat(path)
      if (facts) files.push({ path, ...facts })
    } catch (error) {
      if (single) throw error
      unread.push({ path, error })
    }
  }
  return {
    files,
    there: single ? files.length > 0 : walk.there,
    truncated: walk.names >= MAX_NAMES,
    unread,
  }
}

async function walkFolders(disk: LogDisk, pattern: PathPattern, separator: string) {
  const paths: string[] = []
  const folders: { path: string; places: Places }[] = [{ path: pattern.root, places: startPlaces(pattern) }]
  let names = 0
  const unread: { path: string; error: unknown }[] = []
  let there = false
  for (const folder of folders) {
    let found: readonly Name[] | undefined
    try {
      found = await disk.list(folder.path, MAX_NAMES - names)
    } catch (error) {
      if (folder.path === pattern.root) throw error
      unread.push({ path: folder.path, error })
    }
    there ||= found !== undefined
    names += found?.length ?? 0
    for (const { name, kind } of found ?? []) {
      const path = folder.path.endsWith(separator) ? folder.path + name : folder.path + separator + name
      const { file, inside } = enter(pattern, folder.places, name)
      if (kind === 'file' && file && !PACKED.test(name)) paths.push(path)
      if (kind === 'folder' && inside.size > 0) folders.push({ path, places: inside })
    }
    if (names >= MAX_NAMES) break
  }
  return { paths, names, there, unread }
}
