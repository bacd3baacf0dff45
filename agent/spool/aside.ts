import path from 'node:path'
import * as z from 'zod'
import { randomId } from '../../shared/wire.ts'
import { systemCode } from '../error.ts'
import { makePrivateDirectory, readTextIfThere, removeIfThere, writeFileAtomic } from '../file.ts'
import { decodeJson } from '../json.ts'
import type { SpoolFiles } from './files.ts'
import { type FixedBatch, type Loss, lossOf, NO_LOSS, type SpoolItem } from './item.ts'

const asideFile = z.object({
  /** Release of the relay that refused it; null when it did not say. */
  relayVersion: z.string().nullable(),
  reason: z.string(),
  batch: z.object({ id: randomId, seq: z.int(), items: z.array(z.custom<SpoolItem>(isItem)) }),
})
type AsideFile = z.output<typeof asideFile>

function isItem(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'atMs' in value
}

/** More refused batches than this, and the oldest is given up: each is one that no relay would take. */
const MAX_FILES = 64

/**
 * Batches that the relay refused for good. They wait here for another release of the relay, so that one bad batch never
 * blocks the next, and a relay's mistake costs nothing once it is mended. At most 64; the oldest go first.
 */
export interface Aside {
  readonly count: number
  /** Keeps a batch, and gives what was lost by that: an older one that had to go, or its own when the disk refused it. */
  put(batch: FixedBatch, reason: string, relayVersion: string | null): Loss
  /** The oldest batch that a relay of this version has not seen; absent when there is none. */
  due(relayVersion: string | null): FixedBatch | undefined
  /** Forgets a batch that was taken after all. */
  settle(batchId: string): void
}

export function openAside(files: Pick<SpoolFiles, 'list'>, directory: string): Aside {
  makePrivateDirectory(directory)
  const load = (name: string): AsideFile | undefined =>
    asideFile.safeParse(decodeJson(readTextIfThere(path.join(directory, name)))).data

  const names = files
    .list(directory)
    .filter(name => name.endsWith('.json'))
    .sort()
  const kept = new Map<string, string | null>()
  for (const name of names) {
    const content = load(name)
    if (content) kept.set(name, content.relayVersion)
    else remove(name)
  }

  /** One that somebody holds (a virus scanner on Windows) is tried once more after a restart. */
  function remove(name: string): void {
    kept.delete(name)
    try {
      removeIfThere(path.join(directory, name))
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }

  function giveUpOldest(): Loss {
    const [oldest] = [...kept.keys()].sort()
    if (oldest === undefined) return NO_LOSS
    const lost = lossOf(load(oldest)?.batch.items ?? [])
    remove(oldest)
    return lost
  }

  return {
    get count() {
      return kept.size
    },
    put(batch, reason, relayVersion) {
      const name = nameOf(batch)
      const content: AsideFile = { relayVersion, reason, batch: { ...batch, items: [...batch.items] } }
      try {
        writeFileAtomic(path.join(directory, name), JSON.stringify(content))
      } catch (error) {
        if (systemCode(error) === undefined) throw error
        // It is on disk already when it was refused once more.
        if (!kept.has(name)) return lossOf(batch.items)
      }
      kept.set(name, relayVersion)
      return kept.size > MAX_FILES ? giveUpOldest() : NO_LOSS
    },
    due(relayVersion) {
      if (relayVersion === null) return undefined
      const names = [...kept.keys()].sort().filter(name => kept.get(name) !== relayVersion)
      for (const name of names) {
        const content = load(name)
        if (content) return content.batch
        kept.delete(name)
      }
      return undefined
    },
    settle(batchId) {
      for (const name of [...kept.keys()].filter(each => each.endsWith(`_${batchId}.json`))) remove(name)
    },
  }
}

const nameOf = (batch: FixedBatch): string => `${String(batch.seq).padStart(12, '0')}_${batch.id}.json`
