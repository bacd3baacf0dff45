import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { HostConfig } from '../../shared/host-config.ts'

/** What an agent watches on a server, and how often it changes, real time. */
const LINES_EVERY_MS = 500
const ROTATES_EVERY = 60
const BACKUP_EVERY = 20
const KEPT_BACKUPS = 5

export interface Surroundings {
  readonly config: HostConfig
  /** Goes on until `stop`. */
  live(stop: AbortSignal): Promise<void>
}

/** A followed log file that rotates, and a directory that gets a new backup now and then. */
export function openSurroundings(folder: string): Surroundings {
  const log = path.join(folder, 'backup.log')
  const directory = path.join(folder, 'Архив 1С')
  mkdirSync(directory)
  writeFileSync(log, '')
  const addBackup = (number: number) => {
    const names = readdirSync(directory).sort()
    for (const name of names.slice(0, Math.max(names.length - KEPT_BACKUPS, 0))) rmSync(path.join(directory, name))
    writeFileSync(path.join(directory, `ут11-${String(number).padStart(6, '0')}.bak`), Buffer.alloc(64 * 1024, number))
  }
  return {
    config: {
      backups: [{ name: 'УТ 11', directory, pattern: '*.bak', maxAgeMs: 86_400_000 }],
      logFiles: [{ path: log }],
    },
    async live(stop) {
      for (let count = 0; !stop.aborted; count += 1) {
        if (count % ROTATES_EVERY === ROTATES_EVERY - 1) renameSync(log, `${log}.1`)
        appendFileSync(log, `2026-11-24 23:00:00 - INFO - Резервная копия ${count} проверена\n`)
        if (count % BACKUP_EVERY === 0) addBackup(count)
        await wait(LINES_EVERY_MS, undefined, { signal: stop }).catch(() => {})
      }
    },
  }
}
