import type { Clock } from '../clock.ts'
import { describeError } from '../error.ts'
import { checkIntegrity, type IntegrityResult } from './integrity.ts'
import type { Lane } from './lane.ts'
import { readFileBy } from './reader.ts'
import { seeFile } from './scan.ts'
import { identityOf, type SeenFile } from './verdict.ts'

/** Files are read at this pace at most, so that nobody notices it. */
const BYTES_PER_SECOND = 32 * 1024 * 1024
/** Times longer than the pace asks for, and ten minutes, until a check is given up. */
const SLOWNESS = 4
const SPARE_MS = 10 * 60_000
/** A file that could not be read whole is tried again after this. */
const AGAIN_MS = 60 * 60_000
/** As many as there can be backups. */
const MAX_RESULTS = 50

interface Unreadable {
  readonly code: 'unreadable'
  readonly words: string
}
export type Checked = IntegrityResult | 'pending' | Unreadable

/** Reads files whole, one at a time, beside everything else. */
export interface IntegrityQueue {
  /** The result, for the caller to keep; until it is there the file waits for its turn. */
  ask(file: SeenFile): Checked
}

export function createIntegrityQueue(lane: Lane, clock: Clock, halt: AbortSignal): IntegrityQueue {
  const results = new Map<string, { readonly result: Checked; readonly atMs: number }>()
  let tail: Promise<void> = Promise.resolve()

  async function check(file: SeenFile): Promise<IntegrityResult> {
    const endMs = clock.monoMs() + SPARE_MS + (SLOWNESS * 1000 * file.sizeBytes) / BYTES_PER_SECOND
    const pace = async (bytes: number) => {
      await clock.sleep((bytes / BYTES_PER_SECOND) * 1000, halt)
      if (halt.aborted) throw new Error('the agent stops')
      if (clock.monoMs() > endMs) throw new Error('reading it whole took too long')
    }
    const result = await readFileBy(lane, file, reader => checkIntegrity(reader, pace))
    const after = await lane.run(file.path, () => seeFile(file.path))
    if (!after || identityOf(after) !== identityOf(file)) throw new Error('it changed while it was read')
    return result
  }

  function start(file: SeenFile, id: string): void {
    const note = (result: Checked) => results.set(id, { result, atMs: clock.monoMs() })
    // What nobody asked for again goes first; its file is gone.
    for (const old of results.keys()) if (results.size >= MAX_RESULTS) results.delete(old)
    note('pending')
    const failed = (error: unknown): Unreadable => ({ code: 'unreadable', words: describeError(error) })
    tail = tail.then(async () => {
      if (!halt.aborted) note(await check(file).catch(failed))
    })
  }

  return {
    ask(file) {
      const id = identityOf(file)
      const { result, atMs } = results.get(id) ?? { result: undefined, atMs: 0 }
      if (result === undefined) start(file, id)
      if (result === undefined || result === 'pending') return 'pending'
      const isFailed = result.code === 'unreadable'
      if (isFailed && clock.monoMs() - atMs >= AGAIN_MS) start(file, id)
      if (!isFailed) results.delete(id)
      return result
    },
  }
}
