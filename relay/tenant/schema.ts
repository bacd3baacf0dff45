import { StateUnreadable } from './outbox.ts'
import type { ObjectStorage } from './storage.ts'

/**
 * Tables of a tenant object. Migrations are additive, so that the release before can still read and write after one; a
 * step is never edited once released. `hosts` and `destinations` take no further columns while a release is about that
 * writes them without naming columns (schema 1): what is new of them goes into a table of its own.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE hosts (
     id TEXT PRIMARY KEY, name TEXT NOT NULL, hostname TEXT NOT NULL, machine_id TEXT NOT NULL, os TEXT NOT NULL,
     tokens TEXT NOT NULL, config TEXT NOT NULL, config_revision INTEGER NOT NULL,
     enrolled_at INTEGER NOT NULL, removed_at INTEGER
   ) WITHOUT ROWID;
   CREATE TABLE destinations (
     id TEXT PRIMARY KEY, name TEXT NOT NULL, sink TEXT NOT NULL, settings TEXT NOT NULL, sealed TEXT NOT NULL,
     version INTEGER NOT NULL, created_at INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE outbox (
     slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, batches INTEGER NOT NULL,
     samples INTEGER NOT NULL, removal INTEGER NOT NULL, body BLOB NOT NULL
   );
   CREATE TABLE checkpoint (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
   CREATE TABLE dead_letters (
     id INTEGER PRIMARY KEY, at INTEGER NOT NULL, destination TEXT NOT NULL, host TEXT NOT NULL,
     from_at INTEGER, to_at INTEGER, samples INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
   );
   CREATE TABLE events (
     id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL
   );`,
  `CREATE TABLE destination_budgets (destination TEXT PRIMARY KEY, age_ms INTEGER, bytes INTEGER) WITHOUT ROWID;`,
  `ALTER TABLE dead_letters ADD COLUMN destination_id TEXT;
   ALTER TABLE dead_letters ADD COLUMN host_id TEXT;
   ALTER TABLE outbox ADD COLUMN destination_id TEXT;`,
]

/**
 * Brings the tables to this release's schema. A newer one is left as it is: its additions do not disturb.
 * @throws StateUnreadable when there are tables, but not which schema they have
 */
export function migrate(storage: ObjectStorage): void {
  const { sql } = storage
  const fresh = sql.exec(`SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'`).toArray().length === 0
  const found = fresh ? 0 : Number(sql.exec(`SELECT value FROM meta WHERE key = 'schema'`).toArray()[0]?.value)
  if (!Number.isInteger(found)) throw new StateUnreadable('the number of its schema is missing')
  if (found >= MIGRATIONS.length) return
  storage.transactionSync(() => {
    for (const step of MIGRATIONS.slice(found)) sql.exec(step)
    sql.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)`, String(MIGRATIONS.length))
  })
}
