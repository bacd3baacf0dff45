import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { StatePaths } from '../../agent/config.ts'
import { scanRecords } from '../../agent/spool/record.ts'

/** What is seen of an agent from outside, at one moment. */
export interface Sighting {
  /** Snapshots taken so far. */
  readonly snapshots: number
  readonly rssMb: number
  /** The part of it that is the process's own: the rest is pages of the executable, which the system shares. */
  readonly anonMb: number
  readonly handles: number
  readonly threads: number
  /** Of the spool's records; what is put aside is apart. */
  readonly spoolBytes: number
  readonly asideFiles: number
}

/** Sees the same agent again and again; what it has taken so far only grows. */
export function createObserver(pid: number, paths: StatePaths): () => Sighting {
  let snapshots = 0
  return () => {
    const { bytes, newest } = lookAtSpool(paths.spool)
    snapshots = Math.max(snapshots, newest)
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
    return {
      snapshots,
      rssMb: field('VmRSS') / 1024,
      anonMb: field('RssAnon') / 1024,
      handles: readdirSync(`/proc/${pid}/fd`).length,
      threads: field('Threads'),
      spoolBytes: bytes,
      asideFiles: namesIn(paths.aside, '.json').length,
    }
  }
}

/** Bytes of the records' files, and the number of the newest record: they count from 1, one a snapshot. */
function lookAtSpool(directory: string): { bytes: number; newest: number } {
  const files = namesIn(directory, '.seg').map(name => path.join(directory, name))
  const sizes = files.map(file => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  const newest = files.toReversed().map(newestIn).find(Boolean) ?? 0
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), newest }
}

function newestIn(file: string): number {
  return scanRecords(bytesIfThere(file), 0).records.at(-1)?.number ?? 0
}

/** The agent removes files while they are looked at. */
function bytesIfThere(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}

function namesIn(directory: string, suffix: string): string[] {
  return readdirSync(directory)
    .filter(name => name.endsWith(suffix))
    .sort()
}
