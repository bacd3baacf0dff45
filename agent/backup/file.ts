import { glob, stat } from 'node:fs/promises'
import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'

export interface BackupFile {
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedAtMs: number
}

/** File systems store times in steps of up to two seconds (FAT). */
const TIME_STEP_MS = 2_000

/** The newest file that matches a path or a glob and is not older than `sinceMs`; absent when none does. */
export async function findBackupFile(pattern: string, sinceMs: number): Promise<BackupFile | undefined> {
  let newest: BackupFile | undefined
  for (const candidate of await matches(pattern)) {
    const stats = await stat(candidate).catch(() => undefined)
    if (!stats?.isFile() || stats.mtimeMs < sinceMs - TIME_STEP_MS) continue
    if (!newest || stats.mtimeMs > newest.modifiedAtMs)
      newest = { path: candidate, sizeBytes: stats.size, modifiedAtMs: stats.mtimeMs }
  }
  return newest
}

/** A path is taken as it is first: brackets are common in names. */
async function matches(pattern: string): Promise<string[]> {
  if (await stat(pattern).catch(() => undefined)) return [pattern]
  const found: string[] = []
  for await (const match of glob(pattern)) found.push(match)
  return found
}

/** Where the configuration says that this backup's files are; absent when it does not. */
export function configuredPattern(config: HostConfig, name: string): string | undefined {
  const backup = config.backups?.find(each => each.name === name)
  return backup?.directory && path.join(backup.directory, backup.pattern ?? '*')
}
