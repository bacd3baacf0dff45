import path from 'node:path'
import type { LogDisk } from './disk.ts'
import type { FoundFile } from './scan.ts'

export interface OwnFolder {
  /** The agent's own folder: nothing in it is a log to ship, and its token is there. */
  readonly ownFolder: string
  readonly windows: boolean
}

/** More names than the spool, the backups' reports and all else ever have. */
const MAX_NAMES = 2_000

/**
 * The files that are not the agent's own. A link, a short name (`ONEC-A~1`) or a share of this very machine leads to
 * one under a path that does not say so: a file that is not `familiar` yet is compared by its number.
 */
export async function withoutOwn(
  disk: LogDisk,
  files: readonly FoundFile[],
  familiar: ReadonlySet<string>,
  own: OwnFolder,
): Promise<readonly FoundFile[]> {
  const others = files.filter(file => !isInside(file.path, own))
  if (others.every(({ identity }) => identity === '' || familiar.has(identity))) return others
  const numbers = await numbersIn(disk, own)
  return others.filter(({ identity }) => identity === '' || !numbers.has(identity))
}

function isInside(name: string, { ownFolder, windows }: OwnFolder): boolean {
  const { relative, isAbsolute } = windows ? path.win32 : path.posix
  const way = relative(ownFolder, name)
  return !way.startsWith('..') && !isAbsolute(way)
}

/** Throws the system's error: who cannot tell its own files reads none. */
async function numbersIn(disk: LogDisk, { ownFolder, windows }: OwnFolder): Promise<ReadonlySet<string>> {
  const { join } = windows ? path.win32 : path.posix
  const numbers = new Set<string>()
  const folders = [ownFolder]
  for (const folder of folders)
    for (const { name, kind } of (await disk.list(folder, MAX_NAMES)) ?? []) {
      const inside = join(folder, name)
      const facts = kind === 'file' ? await disk.stat(inside) : undefined
      if (facts) numbers.add(facts.identity)
      if (kind === 'folder') folders.push(inside)
    }
  return numbers
}
