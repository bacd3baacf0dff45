import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { migrate } from '../../../relay/tenant/schema.ts'
import type { ObjectStorage, Rows, Sql, SqlValue } from '../../../relay/tenant/storage.ts'

/**
 * An object's storage over Node's SQLite; a new one on the same database is a restart. `rowsWritten` is what a statement
 * changed: an object's storage bills a row more for each index that a row is in, and no table of these has one.
 */
export interface NodeStorage {
  readonly database: DatabaseSync
  readonly storage: ObjectStorage
  /** Alarms that were set, in order. */
  readonly alarms: number[]
  /** Set: the next `sync` fails with it, as a full disk would. */
  syncError: Error | undefined
}

export function nodeStorage(database = new DatabaseSync(':memory:')): NodeStorage {
  const node: NodeStorage = {
    database,
    alarms: [],
    syncError: undefined,
    storage: {
      sql: sqlOf(database),
      transactionSync: body => transaction(database, body),
      sync: async () => {
        if (node.syncError) throw node.syncError
      },
      setAlarm: async at => void node.alarms.push(at),
    },
  }
  return node
}

/** With the tables made. */
export function migratedSql(database?: DatabaseSync): Sql {
  const { storage } = nodeStorage(database)
  migrate(storage)
  return storage.sql
}

export function sqlOf(database: DatabaseSync): Sql {
  return {
    exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: readonly (SqlValue | Uint8Array)[]) {
      const before = changesOf(database)
      if (bindings.length > 0 || !/;\s*\S/.test(query)) {
        const found = database.prepare(query).all(...(bindings as SQLInputValue[]))
        return rowsOf<Row>(found, changesOf(database) - before)
      }
      database.exec(query)
      return rowsOf<Row>([], changesOf(database) - before)
    },
  }
}

const changesOf = (database: DatabaseSync) => Number(database.prepare('SELECT total_changes() AS n').get()?.n)

/** Blobs come back as ArrayBuffers, as an object's storage gives them. */
function rowsOf<Row>(found: readonly Record<string, unknown>[], rowsWritten: number): Rows<Row> {
  const rows = found.map(row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? Uint8Array.from(value).buffer : value,
      ]),
    ),
  ) as Row[]
  return { rowsWritten, toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() }
}

function transaction<T>(database: DatabaseSync, body: () => T): T {
  database.exec('SAVEPOINT change')
  try {
    const value = body()
    database.exec('RELEASE change')
    return value
  } catch (error) {
    database.exec('ROLLBACK TO change')
    database.exec('RELEASE change')
    throw error
  }
}
