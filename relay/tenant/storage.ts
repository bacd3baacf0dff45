export type SqlValue = string | number | null | ArrayBuffer

/** What a statement gave: each row's columns by name. */
export interface Rows<Row> extends Iterable<Row> {
  toArray(): Row[]
  /** Billed rows that the statement wrote. */
  readonly rowsWritten: number
}

/** As much of an object's SQLite storage as is used: synchronous, blobs read as ArrayBuffers. */
export interface Sql {
  exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: readonly (SqlValue | Uint8Array)[]): Rows<Row>
}

/** As much of an object's storage as is used. */
export interface ObjectStorage {
  readonly sql: Sql
  /** All of `body` or, when it throws, nothing of it. */
  transactionSync<T>(body: () => T): T
  /** Resolves when everything that was written is on disk. */
  sync(): Promise<void>
  /** Epoch milliseconds at which the object is woken; one alarm, the last set counts. */
  setAlarm(atMs: number): Promise<void>
}

/** The same storage, telling `wrote` the billed rows of every statement and alarm once it was run. */
export function countingStorage(storage: ObjectStorage, wrote: (rows: number) => void): ObjectStorage {
  return {
    sql: {
      exec(query, ...bindings) {
        const rows = storage.sql.exec<never>(query, ...bindings)
        // A statement that writes and answers nothing is over by now; one that answers rows writes nothing here.
        if (rows.rowsWritten > 0) wrote(rows.rowsWritten)
        return rows
      },
    },
    transactionSync: body => storage.transactionSync(body),
    sync: () => storage.sync(),
    setAlarm: atMs => {
      wrote(1)
      return storage.setAlarm(atMs)
    },
  }
}
