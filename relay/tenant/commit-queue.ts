import { type BatchItem, sizeBytes } from './row.ts'

/** Bytes of one row at most (a Durable Object takes 2 MB a value). */
const MAX_ROW_BYTES = 1024 * 1024
/** Bytes waiting in memory at most; beyond, whoever posts is told to come again. */
export const MAX_PENDING_BYTES = 8 * 1024 * 1024

/** A post waits at most this long for others to share its row. */
const GATHER_MS = 20

export interface GatherPorts {
  /** Posts that should be coming in at this moment, those that are waiting here included. */
  due(): number
  /** Calls `happen` after so long. */
  after(ms: number, happen: () => void): void
}

interface Waiting {
  readonly item: BatchItem
  readonly bytes: number
  readonly committed: () => void
}

/**
 * Group commit. Posts that arrive while a row is being made durable share the next one, and so do those of hosts that
 * are due at this moment: a post waits for them, at most `GATHER_MS` and until the row is full. A lone post waits for
 * nobody. Nobody is answered before the row with his item is on disk.
 */
export class CommitQueue {
  readonly #write: (items: readonly BatchItem[]) => Promise<void>
  readonly #gather: GatherPorts
  readonly #waiting: Waiting[] = []
  #bytes = 0
  #isCommitting = false
  #gathering: { readonly posts: number; readonly enough: () => void } | undefined

  /** `write` resolves when its items are durable. It must not fail: a failed write ends the object. */
  constructor(write: (items: readonly BatchItem[]) => Promise<void>, gather: GatherPorts) {
    this.#write = write
    this.#gather = gather
  }

  hasRoomFor(item: BatchItem): boolean {
    return this.#bytes + sizeBytes(item) <= MAX_PENDING_BYTES
  }

  commit(item: BatchItem): Promise<void> {
    const bytes = sizeBytes(item)
    this.#bytes += bytes
    return new Promise(committed => {
      this.#waiting.push({ item, bytes, committed })
      if (!this.#isCommitting) void this.#drain()
      else if (this.#gathering && this.#hasEnough(this.#gathering.posts)) this.#gathering.enough()
    })
  }

  async #drain(): Promise<void> {
    this.#isCommitting = true
    while (this.#waiting.length > 0) {
      const others = this.#others()
      if (others) await others
      const group = this.#takeGroup()
      await this.#write(group.map(({ item }) => item))
      for (const { bytes, committed } of group) {
        this.#bytes -= bytes
        committed()
      }
    }
    this.#isCommitting = false
  }

  /** Resolves when the hosts that are due have posted, or will not in time; absent when there are none. */
  #others(): Promise<void> | undefined {
    const posts = this.#gather.due()
    if (this.#hasEnough(posts)) return undefined
    return new Promise(resolve => {
      const enough = () => {
        // Its time may come when it is over and the next one is on.
        if (this.#gathering === gathering) this.#gathering = undefined
        resolve()
      }
      const gathering = { posts, enough }
      this.#gathering = gathering
      this.#gather.after(GATHER_MS, enough)
    })
  }

  #hasEnough(posts: number): boolean {
    return this.#waiting.length >= posts || this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0) >= MAX_ROW_BYTES
  }

  #takeGroup(): Waiting[] {
    let bytes = 0
    const end = this.#waiting.findIndex((one, index) => {
      bytes += one.bytes
      return index > 0 && bytes > MAX_ROW_BYTES
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }
}
