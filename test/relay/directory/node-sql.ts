import { DatabaseSync } from 'node:sqlite'
import type { Sql, SqlValue } from '../../../relay/directory/sql.ts'

/** The directory's storage as Node has it, for its rules without an object around them. */
export function nodeSql(): Sql {
  const database = new DatabaseSync(':memory:')
  return {
    rows: <Row extends Record<string, SqlValue>>(query: string, ...bindings: readonly SqlValue[]) =>
      database.prepare(query).all(...bindings) as Row[],
    transaction: body => {
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
    },
  }
}
