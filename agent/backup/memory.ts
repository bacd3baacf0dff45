import path from 'node:path'
import * as z from 'zod'
import { BACKUP_FORMATS } from '../../shared/host-config.ts'
import { readTextIfThere, writeFileAtomic } from '../file.ts'
import { decodeJson } from '../json.ts'

const seenFile = z.object({ path: z.string(), sizeBytes: z.number(), modifiedAtMs: z.number() })

/** What a watcher must remember of one backup beyond a restart. Fields are only ever added. */
const watchMemory = z.object({
  /** The file as the last look saw it: two that see the same saw a complete one. */
  file: seenFile.optional(),
  /** What was told last. */
  told: z.string().optional(),
  /** What the first bytes of a complete file showed, which no writer had open. */
  head: z.object({ id: z.string(), format: z.enum(BACKUP_FORMATS).optional(), isBlank: z.boolean() }).optional(),
  /** What reading the file whole found; once for each content. */
  checked: z
    .object({
      id: z.string(),
      code: z.enum(['whole', 'truncated', 'damaged']),
      words: z.string().optional(),
      digest: z.string().optional(),
    })
    .optional(),
  /** The last good one that was read whole. */
  good: z.object({ id: z.string(), digest: z.string() }).optional(),
})
export type WatchMemory = z.output<typeof watchMemory>

const memoryFile = z.object({ watches: z.record(z.string(), watchMemory) })

/** The memories of all watchers, in one file of the ledger's directory. */
export interface Memories {
  of(key: string): WatchMemory
  /** Throws the system's error when it cannot be kept. */
  keep(key: string, memory: WatchMemory): void
  /** Forgets all others. */
  prune(keys: ReadonlySet<string>): void
}

export function openMemories(directory: string): Memories {
  const file = path.join(directory, 'watch.json')
  const parsed = memoryFile.safeParse(decodeJson(readTextIfThere(file))).data
  const memories = new Map(Object.entries(parsed?.watches ?? {}))
  const save = () => writeFileAtomic(file, JSON.stringify({ watches: Object.fromEntries(memories) }))
  return {
    of: key => memories.get(key) ?? {},
    keep(key, memory) {
      if (JSON.stringify(memories.get(key) ?? {}) === JSON.stringify(memory)) return
      memories.set(key, memory)
      save()
    },
    prune(keys) {
      const gone = [...memories.keys()].filter(key => !keys.has(key))
      if (gone.length === 0) return
      for (const key of gone) memories.delete(key)
      save()
    },
  }
}
