import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { HostConfig } from '../../shared/host-config.ts'
import { listFiles, seeFile, segmentsOf } from './scan.ts'
import type { SeenFile } from './verdict.ts'

/** File systems store times in steps of up to two seconds (FAT). */
const TIME_STEP_MS = 2_000

/** A directory by its own name, and a pattern as the configuration has them. */
export interface BackupPlace {
  readonly directory: string
  readonly pattern: string
}

/**
 * The newest file that matches and is not older than `sinceMs`; absent when none does. A text is a path or a glob as a
 * person gives it. Rejects with the system's error. A dead file server may keep it for ever: bound it.
 */
export async function findBackupFile(place: string | BackupPlace, sinceMs: number): Promise<SeenFile | undefined> {
  let newest: SeenFile | undefined
  for (const candidate of await matches(place)) {
    const file = await seeFile(candidate).catch(() => undefined)
    if (!file || file.modifiedAtMs < sinceMs - TIME_STEP_MS) continue
    if (!newest || file.modifiedAtMs > newest.modifiedAtMs) newest = file
  }
  return newest
}

/** A path is taken as it is as far as it is there: brackets are common in names, of folders too. */
async function matches(place: string | BackupPlace): Promise<string[]> {
  if (typeof place !== 'string') return await listBelow(place)
  const whole = path.resolve(place)
  const { root } = path.parse(whole)
  const segments = segmentsOf(whole.slice(root.length))
  let directory = root
  while (segments.length > 1 && (await isDirectory(path.join(directory, segments[0] ?? ''))))
    directory = path.join(directory, segments.shift() ?? '')
  const exact = path.join(directory, ...segments)
  if (await seeFile(exact)) return [exact]
  return await listBelow({ directory, pattern: segments.join('/') })
}

async function listBelow({ directory, pattern }: BackupPlace): Promise<string[]> {
  const names = await listFiles(directory, segmentsOf(pattern))
  return names.map(name => path.join(directory, name))
}

const isDirectory = (place: string): Promise<boolean> =>
  stat(place).then(
    stats => stats.isDirectory(),
    () => false,
  )

/** Where the configuration says that this backup's files are; absent when it does not. */
export function configuredPlace(config: HostConfig, name: string): BackupPlace | undefined {
  const backup = config.backups?.find(each => each.name === name)
  return backup?.directory ? { directory: backup.directory, pattern: backup.pattern ?? '*' } : undefined
}

/** As a person reads it. */
export const placeText = (place: string | BackupPlace): string =>
  typeof place === 'string' ? place : path.join(place.directory, place.pattern)
