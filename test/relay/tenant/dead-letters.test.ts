import { DatabaseSync } from 'node:sqlite'
import { encode } from '@msgpack/msgpack'
import { expect, test } from 'vitest'
import { decodeLetter } from '../../../relay/tenant/dead-letter-body.ts'
import { DeadLetters } from '../../../relay/tenant/dead-letters.ts'
import { migrate } from '../../../relay/tenant/schema.ts'
import { agentBatch, deadLetter, NOW } from './fixtures.ts'
import { migratedSql, nodeStorage } from './node-storage.ts'

/** As the release before wrote them: no ids, the body another. */
const RELEASE_BEFORE = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('schema', '1');
  CREATE TABLE outbox (
    slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, batches INTEGER NOT NULL,
    samples INTEGER NOT NULL, removal INTEGER NOT NULL, body BLOB NOT NULL
  );
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, destination TEXT NOT NULL, host TEXT NOT NULL,
    from_at INTEGER, to_at INTEGER, samples INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
  )`
const INSERT_BEFORE = `INSERT INTO dead_letters (at, destination, host, from_at, to_at, samples, reason, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

test('a letter reads back as it was, newest first, its body apart', () => {
  const letters = new DeadLetters(migratedSql())
  letters.add(deadLetter({ reason: '№ 1' }))
  letters.add(deadLetter({ reason: '№ 2', fromMs: null, toMs: NOW }))
  const { body, ...first } = deadLetter({ reason: '№ 1' })
  expect(letters.list({}, 9).map(({ id, reason }) => [id, reason])).toEqual([
    [2, '№ 2'],
    [1, '№ 1'],
  ])
  expect(letters.list({}, 1)).toMatchObject([{ id: 2, fromMs: null, toMs: NOW }])
  expect(letters.list({ ids: [1] }, 9)).toEqual([{ id: 1, ...first, bytes: body.length }])
  expect(letters.body(1)).toEqual(body)
  letters.remove(1)
  expect([letters.body(1), letters.list({}, 9)]).toMatchObject([undefined, [{ id: 2 }]])
})

test('letters are found by number, destination and host, whoever has the name today', () => {
  const letters = new DeadLetters(migratedSql())
  letters.add(deadLetter())
  letters.add(deadLetter({ destinationId: 'd2', hostId: 'h2', host: 'Склад' }))
  letters.add(deadLetter({ destinationId: null, hostId: null }))
  letters.add(deadLetter({ destination: 'Логи', destinationId: 'd3' }))
  const found = (query: Parameters<DeadLetters['list']>[0]) => letters.list(query, 9).map(({ id }) => id)
  const many = Array.from({ length: 1_000 }, (_, index) => index + 2)
  expect(found({ ids: many })).toEqual([4, 3, 2])
  // d2 is not called "Облако" any more: d1 is.
  expect(found({ destination: { id: 'd1', name: 'Облако' } })).toEqual([3, 1])
  expect(found({ destination: { id: 'd2', name: 'Архив' } })).toEqual([2])
  // Nobody has it: what was called so then, or the id of one that is gone.
  expect(found({ destination: { name: 'Облако' } })).toEqual([3, 2, 1])
  expect(found({ destination: { name: 'd3' } })).toEqual([4])
  expect(found({ host: { name: 'Склад' } })).toEqual([2])
  expect(found({ host: { id: 'h1', name: 'БУХ-1С' }, destination: { id: 'd1', name: 'Облако' }, ids: [1, 2] })).toEqual(
    [1],
  )
  expect(found({ host: { name: "x' OR 1=1 --" } })).toEqual([])
})

test('letters and rows of the release before are read, and it can go on writing after this one', () => {
  const database = new DatabaseSync(':memory:')
  database.exec(RELEASE_BEFORE)
  const { sql } = nodeStorage(database).storage
  const before = encode([agentBatch('h1', [NOW])])
  const values = [NOW, 'Облако', 'БУХ-1С', NOW, NOW, 1, 'HTTP 400', before] as const
  sql.exec(INSERT_BEFORE, ...values)
  sql.exec('INSERT INTO outbox (slot, seq, at, batches, samples, removal, body) VALUES (0, 0, 1, 1, 1, 0, ?)', before)
  migrate(nodeStorage(database).storage)
  migrate(nodeStorage(database).storage)
  sql.exec(INSERT_BEFORE, ...values)
  const letters = new DeadLetters(sql)
  expect(letters.list({ destination: { id: 'd1', name: 'Облако' } }, 9)).toMatchObject([
    { id: 2, destinationId: null, hostId: null },
    { id: 1, destinationId: null, hostId: null },
  ])
  expect(decodeLetter(letters.body(1) ?? new Uint8Array())).toMatchObject([{ host: { id: 'h1' } }])
  expect(sql.exec('SELECT destination_id AS id FROM outbox').toArray()).toEqual([{ id: null }])
})
