import { gunzipSync, gzipSync } from 'node:zlib'
import { decode, encode } from '@msgpack/msgpack'
import type { Batch } from '../sinks/sink.ts'

/**
 * Gzipped MessagePack `{ v, batches }` with named fields, so that release N reads N±1. Before version 1 it was the
 * batches alone, not gzipped.
 */
const BODY_VERSION = 1
const GZIP_MAGIC = [0x1f, 0x8b]
/** A letter is at most one request, about 1 MB; text may take three bytes a letter. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024

/** A batch without what is not its own: whose it is, is known; a replay is marked when it is sent. */
export type LetterBatch = Omit<Batch, 'tenant' | 'replayed'>

export function encodeLetter(batches: readonly Batch[]): Uint8Array {
  return new Uint8Array(gzipSync(encode({ v: BODY_VERSION, batches: batches.map(kept) }, { ignoreUndefined: true })))
}

/** @throws Error when the bytes are no letter that this release reads */
export function decodeLetter(bytes: Uint8Array): LetterBatch[] {
  if (!GZIP_MAGIC.every((byte, index) => bytes[index] === byte)) return batchesIn(0, decode(bytes))
  const body = decode(gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES })) as { v?: unknown; batches?: unknown }
  return batchesIn(body?.v, body?.batches)
}

function batchesIn(version: unknown, batches: unknown): LetterBatch[] {
  if (typeof version !== 'number' || version > BODY_VERSION + 1 || !Array.isArray(batches))
    throw new Error(`a dead letter of version ${String(version)} is not readable by this release`)
  return (batches as Batch[]).map(kept)
}

function kept({ tenant, replayed, ...batch }: Batch): LetterBatch {
  return batch
}
