import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { decode, encode } from '@msgpack/msgpack'
import type { DeadLetter } from '../../../relay/tenant/dead-letter.ts'
import type { BatchItem } from '../../../relay/tenant/row.ts'
import type { EventView } from '../../../relay/tenant/rpc.ts'
import type { DestinationRecord, HostRecord } from '../../../relay/tenant/store.ts'
import { sqlOf } from './node-storage.ts'

/**
 * The storage of the release with schema 1, frozen as it was: its tables, its statements word for word, its formats.
 * Nothing here follows later releases.
 */
const TABLES = `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
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
   );
   INSERT INTO meta (key, value) VALUES ('schema', '1');`

/**
 * A checkpoint that its code wrote: host h1 with the ids 1 and 2, destination d1 at row 3 with 7 batches delivered and a
 * dead letter, rows 3 and 4 in slots 1 and 0.
 */
export const V1_CHECKPOINT: Uint8Array = Buffer.from(
  readFileSync(new URL('../../golden/tenant/checkpoint-1.hex', import.meta.url), 'utf8').replaceAll('\n', ''),
  'hex',
)

interface V1Checkpoint {
  readonly heartbeatMs: number
  readonly ring: object
  readonly hosts: ReadonlyMap<string, Record<string, unknown>>
  readonly destinations: ReadonlyMap<string, Record<string, unknown>>
}

type V1Destination = Omit<DestinationRecord, 'budget'>
type Row = Record<string, never>

/** That release at work on `database`; on a new one it makes its tables, on a later schema it leaves them. */
export function v1Release(database: DatabaseSync) {
  const sql = sqlOf(database)
  if (sql.exec(`SELECT name FROM sqlite_master WHERE name = 'meta'`).toArray().length === 0) database.exec(TABLES)
  return {
    init(tenant: object): void {
      sql.exec('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', 'tenant', JSON.stringify(tenant))
    },
    putHost(host: HostRecord): void {
      sql.exec(
        'INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ...[host.id, host.name, host.hostname, host.machineId, host.os, JSON.stringify(host.tokens)],
        ...[JSON.stringify(host.config), host.configRevision, host.enrolledAtMs, host.removedAtMs],
      )
    },
    putDestination({ id, name, sink, settings, sealed, version, createdAtMs }: V1Destination): void {
      sql.exec(
        'INSERT OR REPLACE INTO destinations VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[id, name, sink, JSON.stringify(settings), JSON.stringify(sealed), version, createdAtMs],
      )
    },
    deleteDestination(id: string): void {
      sql.exec('DELETE FROM destinations WHERE id = ?', id)
    },
    addEvent(event: EventView): void {
      sql.exec(
        'INSERT INTO events (at, kind, subject, message) VALUES (?, ?, ?, ?)',
        ...[event.atMs, event.kind, event.subject, event.message],
      )
      sql.exec('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?', 1_000)
    },
    addDeadLetter(letter: Omit<DeadLetter, 'destinationId' | 'hostId'>): void {
      sql.exec(
        `INSERT INTO dead_letters (at, destination, host, from_at, to_at, samples, reason, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[letter.atMs, letter.destination, letter.host, letter.fromMs, letter.toMs, letter.samples],
        ...[letter.reason, letter.body],
      )
      sql.exec('DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?', 1_000)
    },
    putRow(slot: number, seq: number, item: BatchItem): void {
      const body = encode({ v: 1, items: [item] }, { ignoreUndefined: true })
      sql.exec(
        `INSERT OR REPLACE INTO outbox (slot, seq, at, batches, samples, removal, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ...[slot, seq, item.receivedAtMs, 1, item.samples, 0, body],
      )
    },
    setCheckpoint(body: Uint8Array): void {
      sql.exec('INSERT OR REPLACE INTO checkpoint (id, body) VALUES (?, ?)', 1, body)
      sql.exec('DELETE FROM checkpoint WHERE id > ?', 1)
    },

    hosts: () =>
      [...sql.exec<Row>('SELECT * FROM hosts')].map(row => ({
        ...{ id: row.id, name: row.name, hostname: row.hostname, machineId: row.machine_id, os: row.os },
        ...{ tokens: JSON.parse(row.tokens ?? ''), config: JSON.parse(row.config ?? '') },
        ...{ configRevision: row.config_revision, enrolledAtMs: row.enrolled_at, removedAtMs: row.removed_at },
      })),
    destinations: () =>
      [...sql.exec<Row>('SELECT * FROM destinations ORDER BY created_at, id')].map(row => ({
        ...{ id: row.id, name: row.name, sink: row.sink, version: row.version, createdAtMs: row.created_at },
        ...{ settings: JSON.parse(row.settings ?? ''), sealed: JSON.parse(row.sealed ?? '') },
      })),
    events: () =>
      sql
        .exec<Row>('SELECT at, kind, subject, message FROM events ORDER BY id DESC LIMIT ?', 100)
        .toArray()
        .map(({ at, ...event }) => ({ atMs: at, ...event })),
    deadLetters: () =>
      sql
        .exec<Row>(
          `SELECT id, at AS atMs, destination, host, from_at AS fromMs, to_at AS toMs, samples, reason
         FROM dead_letters ORDER BY id DESC LIMIT ?`,
          100,
        )
        .toArray(),
    row(slot: number): unknown {
      sql.exec('SELECT seq, at, batches, samples, removal, length(body) AS bytes FROM outbox WHERE slot = ?', slot)
      const [found] = sql.exec<{ seq: number; body: ArrayBuffer }>('SELECT seq, body FROM outbox WHERE slot = ?', slot)
      const row = decode(new Uint8Array(found?.body ?? new ArrayBuffer())) as { v?: unknown; items?: unknown }
      if (typeof row?.v !== 'number' || row.v > 2 || !Array.isArray(row.items)) throw new Error('row not readable')
      return row.items
    },
    readCheckpoint(): V1Checkpoint {
      const rows = sql.exec<{ body: ArrayBuffer }>('SELECT body FROM checkpoint ORDER BY id').toArray()
      return decodeV1(Buffer.concat(rows.map(({ body }) => Buffer.from(body))))
    },
    encodeCheckpoint(checkpoint: V1Checkpoint): Uint8Array {
      const hosts = [...checkpoint.hosts].map(([id, host]) => [
        id,
        {
          ...host,
          ids: Buffer.concat((host.ids as string[]).map(text => Buffer.from(text, 'base64url'))),
          backups: [...(host.backups as Map<string, unknown>)],
        },
      ])
      const destinations = [...checkpoint.destinations].map(([id, memory]) => [
        id,
        { ...memory, newestMs: [...(memory.newestMs as Map<string, number>)] },
      ])
      return encode({ ...checkpoint, v: 1, hosts, destinations }, { ignoreUndefined: true })
    },
  }
}

type Named = [string, Record<string, unknown>][]

/** What it makes of the fields that it knows; others go on in `...host` and `...memory`, at the top they are lost. */
function decodeV1(bytes: Uint8Array): V1Checkpoint {
  const raw = decode(bytes) as { v?: unknown; heartbeatMs: number; ring: object; hosts: Named; destinations: Named }
  if (typeof raw?.v !== 'number' || raw.v > 2 || !Array.isArray(raw.hosts)) throw new Error('checkpoint not readable')
  return {
    heartbeatMs: raw.heartbeatMs,
    ring: raw.ring,
    hosts: new Map(
      raw.hosts.map(([id, host]) => [
        id,
        { ...host, ids: idsIn(host.ids as Uint8Array), backups: new Map(host.backups as []) },
      ]),
    ),
    destinations: new Map(
      raw.destinations.map(([id, memory]) => [id, { ...memory, newestMs: new Map(memory.newestMs as []) }]),
    ),
  }
}

function idsIn(packed: Uint8Array): string[] {
  const ids: string[] = []
  for (let from = 0; from < packed.length; from += 12)
    ids.push(Buffer.from(packed.subarray(from, from + 12)).toString('base64url'))
  return ids
}
