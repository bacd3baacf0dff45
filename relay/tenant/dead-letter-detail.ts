import type { LetterBatch } from './dead-letter-body.ts'
import { samplesIn } from './parts.ts'
import type { DeadLetterBatch, DeadLetterDetail } from './rpc.ts'

/** Characters of JSON that a person is shown of one letter. */
const MAX_SHOWN_CHARS = 256 * 1024

/** What is in a letter, from its beginning, as much as `most` characters hold, and how much that leaves out. */
export function letterContent(
  batches: readonly LetterBatch[],
  most = MAX_SHOWN_CHARS,
): Pick<DeadLetterDetail, 'batches' | 'cut'> {
  let left = most
  const fits = (piece: unknown) => {
    // The first one that does not fit ends it: what is shown has no holes.
    left = left < 0 ? left : left - JSON.stringify(piece).length
    return left >= 0
  }
  const cut = { snapshots: 0, samples: 0, entries: 0 }
  const shown = batches.map(batch => {
    const one = contentOf(batch, fits)
    cut.snapshots += batch.snapshots.length - one.snapshots.length
    cut.samples += samplesIn([{ snapshots: batch.snapshots.slice(one.snapshots.length) }])
    cut.entries += batch.entries.length - one.entries.length
    return one
  })
  return { batches: shown.filter((one, index) => index === 0 || one.removed || isSomething(one)), cut }
}

function contentOf(batch: LetterBatch, fits: (piece: unknown) => boolean): DeadLetterBatch {
  const { host, source, removed, ended, snapshots, entries } = batch
  return {
    host: host.name,
    hostId: host.id,
    source,
    removed: removed === true,
    ended: ended?.series.length ?? 0,
    snapshots: snapshots
      .map(({ atMs, metrics, series }) => ({ atMs, metrics, ...(series && { series }) }))
      .filter(fits),
    entries: entries.filter(fits),
  }
}

function isSomething({ snapshots, entries }: DeadLetterBatch): boolean {
  return snapshots.length + entries.length > 0
}
