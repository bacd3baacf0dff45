export type SqlValue = string | number | null

/** As much of an object's SQLite storage as the directory uses: synchronous, one statement at a time. */
export interface Sql {
  /** Runs a statement and gives the rows that it returns, columns by name. */
  rows<Row extends Record<string, SqlValue>>(query: string, ...bindings: readonly SqlValue[]): readonly Row[]
  /** All of `body` or, when it throws, nothing of it. */
  transaction<T>(body: () => T): T
}
