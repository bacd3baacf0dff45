import { sinkOf } from '../sinks/index.ts'
import type { StoredLetter } from './dead-letters.ts'
import type { DeadLetterSelection, DeadLettersLeft } from './rpc.ts'
import type { DestinationRecord } from './store.ts'

/** Why a letter stays as it is. */
type Reason = Omit<DeadLettersLeft, 'letters'>

/** Why a letter cannot be replayed to the destination that refused it; `room` is in bytes of that one's queue. */
export function replayRefusal(
  letter: StoredLetter,
  record: DestinationRecord | undefined,
  isReadable: () => boolean,
  room: number,
): Reason | undefined {
  if (!record)
    return {
      code: 'destination_gone',
      detail: `Destination "${letter.destination}" was removed: its dead letters can be shown and dropped only.`,
    }
  if (sinkOf(record.sink)?.takes === 'newest')
    return {
      code: 'replay_unsupported',
      detail: `"${record.name}" is a ${record.sink}: it keeps only the newest, which has taken this one's place. Drop the dead letter.`,
    }
  if (!isReadable()) return unreadable(letter)
  if (letter.bytes <= room) return undefined
  // The oldest of what waits would be dropped for it.
  return {
    code: 'backlog_full',
    detail: `As much as "${record.name}" may have waits for it already. Replay when it has caught up.`,
  }
}

export function noSuchLetter(id: number): Reason {
  return { code: 'not_found', detail: `This tenant has no dead letter ${id}.` }
}

export function unreadable({ id }: StoredLetter): Reason {
  return {
    code: 'dead_letter_unreadable',
    detail: `What is in dead letter ${id} cannot be read by this release. Update the relay, or drop the dead letter.`,
  }
}

/** The letters that were asked for by number and are not there. */
export function missing({ ids = [] }: DeadLetterSelection, found: readonly StoredLetter[]): Reason[] {
  const known = new Set(found.map(({ id }) => id))
  return ids.filter(id => !known.has(id)).map(noSuchLetter)
}

/** The same said once. */
export function counted(reasons: readonly Reason[]): DeadLettersLeft[] {
  return [...Map.groupBy(reasons, ({ detail }) => detail).values()].flatMap(([first, ...more]) =>
    first ? [{ ...first, letters: more.length + 1 }] : [],
  )
}
