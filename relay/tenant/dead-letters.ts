import { type DeadLetter, overBound } from './dead-letter.ts'
import type { DeadLetterView } from './rpc.ts'
import type { Sql, SqlValue } from './storage.ts'

/** Who is meant by a name: `id` when it is known today. Letters of before ids were stored have only the name. */
export interface Named {
  readonly name: string
  readonly id?: string
}

export interface LetterQuery {
  readonly ids?: readonly number[]
  readonly destination?: Named
  readonly host?: Named
}

/** What is known of a stored letter without reading its body. */
export type StoredLetter = DeadLetterView & { readonly bytes: number }

const COLUMNS = `id, at AS atMs, destination, destination_id AS destinationId, host, host_id AS hostId,
  from_at AS fromMs, to_at AS toMs, samples, reason, length(body) AS bytes`

/** The table of dead letters. */
export class DeadLetters {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  add(letter: DeadLetter): void {
    this.#sql.exec(
      `INSERT INTO dead_letters
         (at, destination, destination_id, host, host_id, from_at, to_at, samples, reason, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      letter.atMs,
      letter.destination,
      letter.destinationId,
      letter.host,
      letter.hostId,
      letter.fromMs,
      letter.toMs,
      letter.samples,
      letter.reason,
      letter.body,
    )
  }

  /** Drops the oldest over the bounds. Answers the id of each one's destination; null when that is gone. */
  evict(): (string | null)[] {
    const letters = this.#sql
      .exec<{ id: number; bytes: number; destinationId: string | null }>(
        `SELECT l.id AS id, length(l.body) AS bytes, coalesce(l.destination_id, d.id) AS destinationId
         FROM dead_letters l LEFT JOIN destinations d ON l.destination_id IS NULL AND d.name = l.destination
         ORDER BY l.id`,
      )
      .toArray()
    const gone = letters.slice(0, overBound(letters))
    const last = gone.at(-1)
    if (last) this.#sql.exec('DELETE FROM dead_letters WHERE id <= ?', last.id)
    return gone.map(({ destinationId }) => destinationId)
  }

  /** Newest first. */
  list(query: LetterQuery, limit: number): StoredLetter[] {
    const { where, bindings } = whereOf(query)
    return this.#sql
      .exec<StoredLetter & Record<string, SqlValue>>(
        `SELECT ${COLUMNS} FROM dead_letters ${where} ORDER BY id DESC LIMIT ?`,
        ...bindings,
        limit,
      )
      .toArray()
  }

  body(id: number): Uint8Array | undefined {
    const [row] = this.#sql.exec<{ body: ArrayBuffer }>('SELECT body FROM dead_letters WHERE id = ?', id).toArray()
    return row && new Uint8Array(row.body)
  }

  remove(id: number): void {
    this.#sql.exec('DELETE FROM dead_letters WHERE id = ?', id)
  }
}

function whereOf({ ids, destination, host }: LetterQuery): { where: string; bindings: SqlValue[] } {
  const clauses: string[] = []
  const bindings: SqlValue[] = []
  if (ids) {
    // As one binding: an object takes at most 100.
    clauses.push('id IN (SELECT value FROM json_each(?))')
    bindings.push(JSON.stringify(ids))
  }
  for (const [column, named] of Object.entries({ destination, host })) {
    if (!named) continue
    // Somebody else may have had the name before: where there is an id, it decides.
    clauses.push(
      named.id === undefined
        ? `(${column}_id = ? OR ${column} = ?)`
        : `(${column}_id = ? OR (${column}_id IS NULL AND ${column} = ?))`,
    )
    bindings.push(named.id ?? named.name, named.name)
  }
  return { where: clauses.length > 0 ? `WHERE ${clauses.join(' AND ')}` : '', bindings }
}
