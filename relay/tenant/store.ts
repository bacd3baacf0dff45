import type { HostConfig } from '../../shared/host-config.ts'
import type { Budget, EventView } from './rpc.ts'
import type { Sql } from './storage.ts'

/** What changes only when a person or an enrolment changes it: rows of their own, loaded when the object wakes. */
export interface HostRecord {
  readonly id: string
  readonly name: string
  readonly hostname: string
  readonly machineId: string
  readonly os: string
  /** SHA-256 (hex) of the secrets that are valid, newest last: two during a rotation. */
  readonly tokens: readonly string[]
  readonly config: HostConfig
  readonly configRevision: number
  readonly enrolledAtMs: number
  /** Kept after the removal: its backlog still needs the name, its token the answer that it is gone. */
  readonly removedAtMs: number | null
}

export interface DestinationRecord {
  readonly id: string
  readonly name: string
  readonly sink: string
  /** Without the secret ones. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Secret settings by name, each an envelope. */
  readonly sealed: Readonly<Record<string, string>>
  /** What an operator chose; the rest is the default. */
  readonly budget: Partial<Budget>
  readonly version: number
  readonly createdAtMs: number
}

/** Newest kept; what is older than these is gone for good. */
const MAX_EVENTS = 1_000

type HostRow = {
  id: string
  name: string
  hostname: string
  machine_id: string
  os: string
  tokens: string
  config: string
  config_revision: number
  enrolled_at: number
  removed_at: number | null
}

type DestinationRow = {
  id: string
  name: string
  sink: string
  settings: string
  sealed: string
  version: number
  created_at: number
  age_ms: number | null
  bytes: number | null
}

/**
 * Columns are named and a row that is there is updated, never replaced: a later release may add columns, and what it
 * wrote there must outlive an edit by this one.
 */
const UPSERT_HOST = upsert('hosts', [
  'id',
  'name',
  'hostname',
  'machine_id',
  'os',
  'tokens',
  'config',
  'config_revision',
  'enrolled_at',
  'removed_at',
])
const UPSERT_DESTINATION = upsert('destinations', ['id', 'name', 'sink', 'settings', 'sealed', 'version', 'created_at'])
const UPSERT_BUDGET = upsert('destination_budgets', ['destination', 'age_ms', 'bytes'])
const SELECT_DESTINATIONS = `SELECT d.*, b.age_ms, b.bytes FROM destinations d
  LEFT JOIN destination_budgets b ON b.destination = d.id ORDER BY d.created_at, d.id`

/** Bytes of the checkpoint in one row: a Durable Object takes 2 MB a value. */
export const MAX_CHECKPOINT_ROW_BYTES = 1024 * 1024

/** Rows that a checkpoint takes. */
export const checkpointRows = (body: Uint8Array) => Math.max(Math.ceil(body.length / MAX_CHECKPOINT_ROW_BYTES), 1)

/** The tables beside the outbox and the dead letters. No rule lives here. */
export class TenantStore {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  meta(key: string): string | undefined {
    return this.#sql.exec<{ value: string }>('SELECT value FROM meta WHERE key = ?', key).toArray()[0]?.value
  }

  setMeta(key: string, value: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, value)
  }

  checkpoint(): Uint8Array | undefined {
    const rows = this.#sql.exec<{ body: ArrayBuffer }>('SELECT body FROM checkpoint ORDER BY id').toArray()
    return rows.length === 0 ? undefined : concat(rows.map(({ body }) => new Uint8Array(body)))
  }

  /** One row for nearly every tenant; whoever calls does it in a transaction. */
  setCheckpoint(body: Uint8Array): void {
    const rows = checkpointRows(body)
    for (let row = 0; row < rows; row += 1) {
      const from = row * MAX_CHECKPOINT_ROW_BYTES
      const piece = body.subarray(from, from + MAX_CHECKPOINT_ROW_BYTES)
      this.#sql.exec('INSERT OR REPLACE INTO checkpoint (id, body) VALUES (?, ?)', row + 1, piece)
    }
    this.#sql.exec('DELETE FROM checkpoint WHERE id > ?', rows)
  }

  hosts(): HostRecord[] {
    return [...this.#sql.exec<HostRow>('SELECT * FROM hosts')].map(row => ({
      id: row.id,
      name: row.name,
      hostname: row.hostname,
      machineId: row.machine_id,
      os: row.os,
      tokens: JSON.parse(row.tokens),
      config: JSON.parse(row.config),
      configRevision: row.config_revision,
      enrolledAtMs: row.enrolled_at,
      removedAtMs: row.removed_at,
    }))
  }

  putHost(host: HostRecord): void {
    this.#sql.exec(
      UPSERT_HOST,
      host.id,
      host.name,
      host.hostname,
      host.machineId,
      host.os,
      JSON.stringify(host.tokens),
      JSON.stringify(host.config),
      host.configRevision,
      host.enrolledAtMs,
      host.removedAtMs,
    )
  }

  destinations(): DestinationRecord[] {
    return [...this.#sql.exec<DestinationRow>(SELECT_DESTINATIONS)].map(row => ({
      id: row.id,
      name: row.name,
      sink: row.sink,
      settings: JSON.parse(row.settings),
      sealed: JSON.parse(row.sealed),
      budget: { ...(row.age_ms !== null && { ageMs: row.age_ms }), ...(row.bytes !== null && { bytes: row.bytes }) },
      version: row.version,
      createdAtMs: row.created_at,
    }))
  }

  putDestination(destination: DestinationRecord): void {
    this.#sql.exec(
      UPSERT_DESTINATION,
      destination.id,
      destination.name,
      destination.sink,
      JSON.stringify(destination.settings),
      JSON.stringify(destination.sealed),
      destination.version,
      destination.createdAtMs,
    )
    const { ageMs, bytes } = destination.budget
    this.#sql.exec(UPSERT_BUDGET, destination.id, ageMs ?? null, bytes ?? null)
  }

  deleteDestination(id: string): void {
    this.#sql.exec('DELETE FROM destinations WHERE id = ?', id)
    // Also those of destinations that a release without budgets removed.
    this.#sql.exec('DELETE FROM destination_budgets WHERE destination NOT IN (SELECT id FROM destinations)')
  }

  /** Answers how many older ones had to go for it. */
  addEvent(event: EventView): number {
    this.#sql.exec(
      'INSERT INTO events (at, kind, subject, message) VALUES (?, ?, ?, ?)',
      event.atMs,
      event.kind,
      event.subject,
      event.message,
    )
    return this.#sql.exec('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?', MAX_EVENTS).rowsWritten
  }

  events(limit: number): EventView[] {
    return this.#sql
      .exec<{ at: number; kind: string; subject: string; message: string }>(
        'SELECT at, kind, subject, message FROM events ORDER BY id DESC LIMIT ?',
        limit,
      )
      .toArray()
      .map(({ at, ...event }) => ({ atMs: at, ...event }))
  }
}

/** The first column is the key. */
function upsert(table: string, columns: readonly [string, ...string[]]): string {
  const [key, ...rest] = columns
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${key}) DO UPDATE SET ${rest.map(column => `${column} = excluded.${column}`).join(', ')}`
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
