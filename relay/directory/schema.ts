import { RelayError } from '../problem.ts'
import type { Sql } from './sql.ts'

/**
 * One list of statements per version, only ever appended to, each additive: release N reads what N+1 wrote.
 * WITHOUT ROWID: a text key then costs one billed row, not two.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    'CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID',
    'CREATE TABLE tenants (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at_ms INTEGER NOT NULL) WITHOUT ROWID',
    `CREATE TABLE enrolments (code_hash TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, hint TEXT NOT NULL,
       uses_left INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, note TEXT) WITHOUT ROWID`,
    `CREATE TABLE redemptions (code_hash TEXT NOT NULL, machine_id TEXT NOT NULL, at_ms INTEGER NOT NULL,
       PRIMARY KEY (code_hash, machine_id)) WITHOUT ROWID`,
    `CREATE TABLE operators (id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, tenants TEXT,
       token_hash TEXT NOT NULL UNIQUE, created_at_ms INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL,
       tenant_id TEXT, subject TEXT NOT NULL)`,
  ],
]

const TABLES = ['meta', 'tenants', 'enrolments', 'redemptions', 'operators', 'audit']
const SCHEMA_VERSION = MIGRATIONS.length

/**
 * Brings the tables to this release's version. Fails with `state_unreadable` when they are a much newer release's or
 * damaged: starting empty instead would forget every tenant.
 */
export function migrate(sql: Sql): void {
  sql.transaction(() => {
    const stored = storedVersion(sql)
    if (stored > SCHEMA_VERSION + 1)
      throw unreadable(`it was written by a newer release (schema ${stored}, this one reads ${SCHEMA_VERSION})`)
    for (const statement of MIGRATIONS.slice(stored).flat()) sql.rows(statement)
    if (stored < SCHEMA_VERSION)
      sql.rows("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema_version', ?)", SCHEMA_VERSION)
  })
}

/** 0 when there is nothing at all yet. */
function storedVersion(sql: Sql): number {
  const names = new Set(
    sql.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").map(t => t.name),
  )
  const missing = TABLES.filter(table => !names.has(table))
  if (missing.length === TABLES.length) return 0
  if (missing.length > 0) throw unreadable(`table ${missing.join(', ')} is missing`)
  const version = sql.rows<{ value: number }>("SELECT value FROM meta WHERE key = 'schema_version'")[0]?.value
  if (!Number.isInteger(version) || !version || version < 1) throw unreadable('its schema version is missing')
  return version
}

export function unreadable(why: string): RelayError {
  return new RelayError(
    'state_unreadable',
    `The directory's stored state cannot be read: ${why}. Nothing was changed. Update the relay or restore a backup.`,
  )
}
