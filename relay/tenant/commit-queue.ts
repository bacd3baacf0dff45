import { type BatchItem, sizeBytes } from './row.ts'

/** Bytes of one row at most (a Durable Object takes 2 MB a value). */
const MAX_ROW_BYTES = 1024 * 1024
/** Bytes waiting in memory at most; beyond, whoever posts is told to come again. */
export const MAX_PENDING_BYTES = 8 * 1024 * 1024

interface Waiting {
  readonly item: BatchItem
  readonly bytes: number
  readonly committed: () => void
}

/**
 * Group commit. While one row is being made durable, posts that arrive gather and share the next one: a lone post
 * waits for nobody, a crowd shares rows. Nobody is answered before the row with his item is on disk.
 */
export class CommitQueue {
  readonly #write: (items: readonly BatchItem[]) => Promise<void>
  readonly #waiting: Waiting[] = []
  #bytes = 0
  #isCommitting = false

  /** `write` resolves when its items are durable. It must not fail: a failed write ends the object. */
  constructor(write: (items: readonly BatchItem[]) => Promise<void>) {
    this.#write = write
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
    })
  }

  async #drain(): Promise<void> {
    this.#isCommitting = true
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      await this.#write(group.map(({ item }) => item))
      for (const { bytes, committed } of group) {
        this.#bytes -= bytes
        committed()
      }
    }
    this.#isCommitting = false
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
