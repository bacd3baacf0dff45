import { ok, type Result, refused } from '../result.ts'
import { totalBytes } from './budget.ts'
import { decodeLetter, type LetterBatch } from './dead-letter-body.ts'
import { letterContent } from './dead-letter-detail.ts'
import { counted, missing, noSuchLetter, replayRefusal, unreadable } from './dead-letter-refusal.ts'
import type { LetterQuery, StoredLetter } from './dead-letters.ts'
import type { Deliveries } from './deliveries.ts'
import { findHost } from './hosts.ts'
import type {
  DeadLetterDetail,
  DeadLetterFilter,
  DeadLetterSelection,
  DeadLettersDropped,
  DeadLettersReplayed,
  DeadLetterView,
} from './rpc.ts'
import type { TenantState } from './state.ts'
import type { DestinationRecord } from './store.ts'

/** A letter that may go, and where. */
interface Departure {
  readonly letter: StoredLetter
  readonly record: DestinationRecord
}

/** What operators do with a tenant's dead letters. */
export class DeadLetterDesk {
  readonly #state: TenantState
  readonly #deliveries: Deliveries

  constructor(state: TenantState, deliveries: Deliveries) {
    this.#state = state
    this.#deliveries = deliveries
  }

  /** Newest first. */
  list(limit: number, filter: DeadLetterFilter): DeadLetterView[] {
    return this.#state.letters.list(this.#queryOf(filter), limit).map(letter => this.#view(letter))
  }

  show(id: number): Result<DeadLetterDetail> {
    const [letter] = this.#find({ ids: [id] })
    if (!letter) return { ok: false, ...noSuchLetter(id) }
    const batches = this.#read(letter)
    return batches ? ok({ ...this.#view(letter), ...letterContent(batches) }) : { ok: false, ...unreadable(letter) }
  }

  /** Each one's row in the outbox and the end of the letter are one transaction: it is in one place or the other. */
  replay(selection: DeadLetterSelection, now: number): Result<DeadLettersReplayed> {
    const letters = this.#find(selection)
    const left = missing(selection, letters)
    const going: Departure[] = []
    const rooms = new Map(this.#deliveries.records.map(record => [record.id, this.#roomFor(record)]))
    let goingBytes = 0
    for (const letter of letters) {
      const record = this.#destinationOf(letter)
      const isReadable = () => this.#read(letter) !== undefined
      const room = (rooms.get(record?.id ?? '') ?? 0) - goingBytes
      const reason = replayRefusal(letter, record, isReadable, room)
      if (reason) left.push(reason)
      else if (record) {
        going.push({ letter, record })
        goingBytes += letter.bytes
      }
    }
    const [reason] = left
    if (going.length === 0 && reason) return refused(reason.code, reason.detail)
    if (going.length > 0) this.#resend(going, now)
    return ok({ replayed: going.length, samples: samplesOf(going.map(({ letter }) => letter)), left: counted(left) })
  }

  drop(selection: DeadLetterSelection, now: number): Result<DeadLettersDropped> {
    const letters = this.#find(selection)
    const left = missing(selection, letters)
    const [reason] = left
    if (letters.length === 0 && reason) return refused(reason.code, reason.detail)
    if (letters.length > 0) {
      this.#note('dropped', letters, now)
      this.#state.checkpoint(() => {
        for (const { id } of letters) this.#state.letters.remove(id)
      })
    }
    return ok({ dropped: letters.length, samples: samplesOf(letters), left: counted(left) })
  }

  #resend(going: readonly Departure[], now: number): void {
    this.#note(
      'replayed',
      going.map(({ letter }) => letter),
      now,
    )
    this.#state.checkpoint(() => {
      for (const { letter, record } of going) {
        const body = this.#state.letters.body(letter.id)
        if (!body) continue
        const { samples } = letter
        this.#state.outbox.append([{ kind: 'replay', atMs: now, destinationId: record.id, samples, body }])
        this.#state.letters.remove(letter.id)
      }
    })
  }

  /** Bytes that may still go to a destination without a loss of what waits; all of them share the object's total. */
  #roomFor(record: DestinationRecord): number {
    const own = this.#deliveries.budget(record.id).bytes - this.#deliveries.view(record).backlogBytes
    return Math.min(own, totalBytes(this.#deliveries.budgets) - this.#state.outbox.bytes)
  }

  #destinationOf({ destinationId, destination }: DeadLetterView): DestinationRecord | undefined {
    if (destinationId === null) return this.#deliveries.records.find(({ name }) => name === destination)
    return this.#deliveries.records.find(({ id }) => id === destinationId)
  }

  /** Oldest first. */
  #find(selection: DeadLetterSelection): StoredLetter[] {
    const { all, ids } = selection
    const query = { ...this.#queryOf(selection), ...(ids && { ids }) }
    if (!all && Object.keys(query).length === 0) return []
    // No more than the table is bounded to, give or take what a running pump adds.
    return this.#state.letters.list(query, Number.MAX_SAFE_INTEGER).reverse()
  }

  #queryOf({ destination, host }: DeadLetterFilter): LetterQuery {
    const to = destination === undefined ? undefined : this.#deliveries.find(destination)
    const of = host === undefined ? undefined : findHost(this.#state.hosts, host)
    return {
      ...(destination !== undefined && { destination: to ?? { name: destination } }),
      ...(host !== undefined && { host: of?.ok ? of.value : { name: host } }),
    }
  }

  /** With the name that the destination has today. */
  #view({ bytes, ...letter }: StoredLetter): DeadLetterView {
    const record = letter.destinationId === null ? undefined : this.#destinationOf(letter)
    return { ...letter, destination: record?.name ?? letter.destination }
  }

  #read({ id }: StoredLetter): LetterBatch[] | undefined {
    try {
      const body = this.#state.letters.body(id)
      return body && decodeLetter(body)
    } catch {
      return undefined
    }
  }

  #note(what: 'replayed' | 'dropped', letters: readonly StoredLetter[], now: number): void {
    for (const [subject, some] of Map.groupBy(letters, letter => this.#view(letter).destination))
      this.#state.note({
        atMs: now,
        kind: `dead_letter_${what}`,
        subject,
        message: `An operator ${what} ${some.length} dead letters (${samplesOf(some)} samples)`,
      })
  }
}

function samplesOf(letters: readonly StoredLetter[]): number {
  return letters.reduce((sum, { samples }) => sum + samples, 0)
}
