import type { Batch } from '../sinks/sink.ts'
import { encodeLetter } from './dead-letter-body.ts'
import { partsByHost } from './parts.ts'
import type { DeadLetterView } from './rpc.ts'

/** A part that a destination refused for good, as it is stored. */
export interface DeadLetter extends Omit<DeadLetterView, 'id'> {
  /** The batches at fault, as `dead-letter-body.ts` writes them: enough to replay. */
  readonly body: Uint8Array
}

/** Kept of a tenant, the newest; the oldest go first, and are counted. */
export const MAX_LETTERS = 1_000
export const MAX_LETTERS_BYTES = 16 * 1024 * 1024

/** A letter becomes a row of the outbox when it is replayed, and a row is at most 1 MB. */
const MAX_BODY_BYTES = 900 * 1024

interface Refusal {
  readonly atMs: number
  readonly destination: { readonly id: string; readonly name: string }
  readonly batches: readonly Batch[]
  readonly samples: number
  /** The server's own words, redacted. */
  readonly reason: string
  /** Samples (or log entries) of some of the batches, as the sink counts them. */
  samplesOf(batches: readonly Batch[]): number
}

/** One letter a host, so that it can be found by it; more of them where one would be too large for a row. */
export function lettersOf({ atMs, destination, batches, samples, reason, samplesOf }: Refusal): DeadLetter[] {
  const pieces = partsByHost(batches).flatMap(part => cutBySize(part, MAX_BODY_BYTES))
  return pieces.map(({ batches: part, body }) => ({
    atMs,
    destination: destination.name,
    destinationId: destination.id,
    host: part[0]?.host.name ?? '',
    hostId: part[0]?.host.id ?? null,
    ...timesOf(part),
    samples: pieces.length === 1 ? samples : samplesOf(part),
    reason,
    body,
  }))
}

/** A batch by itself is never too large: 256 KB of JSON from an agent, a row's worth from the relay. */
export function cutBySize(
  batches: readonly Batch[],
  most: number,
): { readonly batches: readonly Batch[]; readonly body: Uint8Array }[] {
  const body = encodeLetter(batches)
  if (body.length <= most || batches.length < 2) return [{ batches, body }]
  const middle = Math.ceil(batches.length / 2)
  return [batches.slice(0, middle), batches.slice(middle)].flatMap(half => cutBySize(half, most))
}

function timesOf(batches: readonly Batch[]): { fromMs: number | null; toMs: number | null } {
  let fromMs: number | null = null
  let toMs: number | null = null
  for (const { snapshots, entries } of batches)
    for (const { atMs } of [...snapshots, ...entries]) {
      fromMs = Math.min(fromMs ?? atMs, atMs)
      toMs = Math.max(toMs ?? atMs, atMs)
    }
  return { fromMs, toMs }
}

/** How many of these, oldest first, must go so that the rest is within both bounds. */
export function overBound(
  letters: readonly { readonly bytes: number }[],
  most = { letters: MAX_LETTERS, bytes: MAX_LETTERS_BYTES },
): number {
  let bytes = letters.reduce((sum, letter) => sum + letter.bytes, 0)
  let over = 0
  for (const letter of letters) {
    if (letters.length - over <= most.letters && bytes <= most.bytes) break
    bytes -= letter.bytes
    over += 1
  }
  return over
}
