import path from 'node:path'
import type { HostConfig, LogFileConfig } from '../../shared/host-config.ts'

/** The log that the backup bot of the seed guide keeps beside its backups. */
const SEED_LOG = 'backup.log'

export interface LogSource extends LogFileConfig {
  /** Nobody named it: that it is not there is no problem. */
  readonly unasked?: true
}

/** Files that are followed at once, all paths together. */
export const MAX_FILES = 400

/**
 * What is followed: the configured files, and `backup.log` in every configured backup folder unless it is among them.
 * An empty list turns all of it off. A path that comes twice is followed once.
 */
export function logSources(config: HostConfig, windows: boolean): readonly LogSource[] {
  const { logFiles, backups = [] } = config
  if (logFiles?.length === 0) return []
  const flavour = windows ? path.win32 : path.posix
  const seeds = backups.flatMap(({ directory }) =>
    directory ? [{ path: flavour.join(directory, SEED_LOG), unasked: true as const }] : [],
  )
  const key = (text: string) => (windows ? flavour.normalize(text).toLowerCase() : flavour.normalize(text))
  const all = new Map<string, LogSource>()
  for (const each of [...(logFiles ?? []), ...seeds]) if (!all.has(key(each.path))) all.set(key(each.path), each)
  return [...all.values()]
}

/** How many files each path with wildcards may take: they share what those without leave. */
export function filesPerPattern(sources: readonly LogFileConfig[]): number {
  const patterns = sources.filter(each => isPattern(each.path)).length
  return Math.max(Math.floor((MAX_FILES - (sources.length - patterns)) / Math.max(patterns, 1)), 1)
}

export const isPattern = (text: string): boolean => /[*?]/.test(text.replace(/^\\\\\?\\/, ''))
