import { expect, test } from 'vitest'
import { MAX_BACKUPS, newHost, REMEMBERED_IDS, remember } from '../../../relay/tenant/host-memory.ts'
import { batchItem, idOf, NOW, report, wireBatch } from './fixtures.ts'

test('a new host is pending, and nothing else is known of it', () => {
  expect(newHost(NOW)).toMatchObject({ state: 'pending', stateSinceMs: NOW, lastSeenMs: null, dueAtMs: null, ids: [] })
})

test('a batch says when the host was seen, is due, how its clock goes and who it is', () => {
  const host = remember(newHost(0), batchItem({ sentAtMs: NOW + 90_000 }))
  const { agent, spool } = wireBatch()
  expect(host).toMatchObject({ lastSeenMs: NOW, dueAtMs: NOW + 60_000, clockSkewMs: 90_000, agent, spool })
  expect(host.state, 'health is not decided here').toBe('pending')
})

test('the ids of the last 16 batches are remembered, the oldest go', () => {
  let host = newHost(NOW)
  for (let number = 0; number < 20; number += 1) host = remember(host, batchItem({ id: idOf(number) }))
  expect(host.ids).toEqual(Array.from({ length: REMEMBERED_IDS }, (_, index) => idOf(index + 4)))
})

test('a batch without backups leaves them as they are', () => {
  const before = remember(newHost(NOW), batchItem({ backups: [report()] }))
  expect(remember(before, batchItem()).backups).toBe(before.backups)
})

test('a further backup pushes out the one heard of longest ago', () => {
  const named = (name: string) => report({ name })
  const all = Array.from({ length: MAX_BACKUPS }, (_, index) => named(`База ${index}`))
  let host = remember(newHost(NOW), batchItem({ backups: all }))
  host = remember(host, batchItem({ backups: [named('База 0')] }))
  host = remember(host, batchItem({ backups: [named('Новая')] }))
  expect(host.backups.size).toBe(MAX_BACKUPS)
  expect(host.backups.has('База 0')).toBe(true)
  expect(host.backups.has('База 1')).toBe(false)
  expect(host.backups.get('База 0')?.runs).toEqual({ ok: 1 })
})
