import type { DatabaseSync } from 'node:sqlite'
import type { ObjectStorage, Rows, Sql, SqlValue } from '../../../../relay/tenant/storage.ts'
import { nodeStorage } from '../node-storage.ts'

/** The power went off: no statement runs any more. */
export class PowerCut extends Error {}

const WRITES = /^\s*(INSERT|UPDATE|DELETE|CREATE)\b/i

/** What a broken storage would do, to prove that the test sees it. */
export type Defect = 'forgets an outbox row' | 'says synced too early'

/**
 * An object's storage whose power goes off at the n-th write, before or after it took place, inside a transaction or
 * not. As SQLite's log has it: a transaction is whole or not there, and of what was not synced a last part may be lost.
 */
export interface CrashingStorage {
  readonly storage: ObjectStorage
  readonly alarms: readonly number[]
  readonly isDead: boolean
  /** The power goes off at that write from now on. */
  cutAfter(writes: number): void
  /** Makes everything written so far durable, as the runtime does before anything leaves the object. */
  outputGate(): void
  /** The power is off: decides what is on the disk. */
  end(): void
}

export function crashingStorage(database: DatabaseSync, random: () => number, defect?: Defect): CrashingStorage {
  const node = nodeStorage(database)
  let writesLeft = Number.POSITIVE_INFINITY
  let isDead = false
  let isInTransaction = false
  /** Commits that are not synced, each begun by a savepoint of its number. */
  let unsynced = 0
  let outboxRows = 0

  function die(): never {
    isDead = true
    throw new PowerCut()
  }

  function commit<T>(body: () => T): T {
    if (isDead) die()
    if (isInTransaction) return body()
    database.exec(`SAVEPOINT commit_${unsynced}`)
    unsynced += 1
    return body()
  }

  function synced(): void {
    if (unsynced > 0) database.exec('RELEASE commit_0')
    unsynced = 0
  }

  function isForgotten(query: string): boolean {
    if (defect !== 'forgets an outbox row' || !query.includes('INTO outbox')) return false
    outboxRows += 1
    return outboxRows % 7 === 0
  }

  const sql: Sql = {
    exec<Row extends Record<string, SqlValue>>(query: string, ...bindings: readonly (SqlValue | Uint8Array)[]) {
      if (isDead) die()
      const run = (): Rows<Row> => node.storage.sql.exec<Row>(query, ...bindings)
      if (!WRITES.test(query)) return run()
      if (isForgotten(query))
        return { rowsWritten: 0, toArray: () => [], [Symbol.iterator]: () => [][Symbol.iterator]() }
      return commit(() => {
        writesLeft -= 1
        if (writesLeft >= 0) return run()
        if (random() < 0.5) run()
        return die()
      })
    },
  }

  return {
    alarms: node.alarms,
    get isDead() {
      return isDead
    },
    storage: {
      sql,
      transactionSync: body =>
        commit(() => {
          const isOuter = !isInTransaction
          isInTransaction = true
          try {
            return node.storage.transactionSync(body)
          } finally {
            if (isOuter) isInTransaction = false
          }
        }),
      sync: async () => {
        if (defect === 'says synced too early') return
        writesLeft -= 1
        if (isDead || writesLeft < 0) die()
        synced()
      },
      setAlarm: node.storage.setAlarm,
    },
    cutAfter: writes => {
      writesLeft = writes
    },
    outputGate: () => {
      if (isDead) die()
      if (defect !== 'says synced too early') synced()
    },
    end: () => {
      isDead = true
      const kept = Math.floor(random() * (unsynced + 1))
      if (kept < unsynced) database.exec(`ROLLBACK TO commit_${kept}`)
      synced()
    },
  }
}
