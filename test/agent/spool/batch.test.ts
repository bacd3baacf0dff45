import { describe, expect, it } from 'vitest'
import { compress, cutBatch, wireBatch } from '../../../agent/spool/batch.ts'
import type { SpoolItem } from '../../../agent/spool/item.ts'
import { SEED_HOST_METRICS } from '../../../shared/metrics.ts'
import { LIMITS, readBatch } from '../../../shared/wire.ts'
import { itemAt, START_MS } from '../support/spool.ts'

/** As wide as a real snapshot, with values that do not compress away. */
const realistic = (index: number): SpoolItem => {
  const metrics = Object.fromEntries(SEED_HOST_METRICS.map((name, at) => [name, ((index + 1) * 7919 * (at + 3)) % 1e9]))
  return { ...itemAt(index), snapshot: { atMs: itemAt(index).atMs, monoMs: index, metrics } }
}
const envelope = {
  sentAtMs: START_MS,
  agent: { version: '0.1.0', os: 'Linux', hostname: 'БУХ-1С', intervalMs: 60_000, bootId: 'b' },
  spool: { id: 'AAAAAAAAAAAAAAAA', pendingBatches: 3, oldestAtMs: START_MS, droppedSnapshots: 0 },
}
const items = (count: number, make: (index: number) => SpoolItem) => Array.from({ length: count }, (_, at) => make(at))
const wireOf = (taken: readonly SpoolItem[]) => wireBatch({ id: 'BBBBBBBBBBBBBBBB', seq: 4, items: taken }, envelope)

describe('cutBatch', () => {
  it('cuts a backlog so that an exchange stays small', () => {
    const backlog = items(120, realistic)
    const count = cutBatch(backlog)
    expect(count).toBeGreaterThan(2)
    expect(compress(wireOf(backlog.slice(0, count))).length).toBeLessThan(5_000)
  })

  it('takes up to 120 small snapshots', () => {
    expect(cutBatch(items(120, itemAt))).toBe(120)
  })

  it('always takes one, however large', () => {
    expect(
      cutBatch([{ ...itemAt(0), entries: [{ atMs: START_MS, level: 'info', message: 'я'.repeat(200_000) }] }]),
    ).toBe(1)
    expect(cutBatch(items(1, realistic))).toBe(1)
  })

  it.each([
    ['entries', { entries: [{ atMs: START_MS, level: 'info' as const, message: 'x' }] }, LIMITS.entries],
    ['backups', { backups: [] }, LIMITS.backups],
  ])('stays within the limit of %s', (kind, _, limit) => {
    const entry = { atMs: START_MS, level: 'info' as const, message: 'x' }
    const nothing = {
      reason: null,
      startedAtMs: null,
      completedAtMs: null,
      sizeBytes: null,
      durationMs: null,
      dueAtMs: null,
    }
    const backup = { name: 'ut11', state: 'ok' as const, source: 'run' as const, ...nothing }
    const item = kind === 'entries' ? { entries: Array(20).fill(entry) } : { backups: Array(20).fill(backup) }
    const count = cutBatch(items(100, index => ({ ...itemAt(index), ...item })))
    expect(count).toBe(Math.floor(limit / 20))
  })
})

describe('wireBatch', () => {
  it('is what the relay reads, and leaves out what there is none of', () => {
    const wire = wireOf(items(3, realistic))
    expect(readBatch(JSON.parse(JSON.stringify(wire)))).toEqual({ ok: true, batch: wire })
    expect(Object.keys(wire)).not.toContain('backups')
    expect(Object.keys(wire)).not.toContain('entries')
  })

  it('carries no file names of the agent', () => {
    const logs = { revision: 1, files: [] }
    expect(Object.keys(wireOf([{ ...itemAt(0), logs }]))).not.toContain('logs')
    expect(JSON.stringify(wireOf([{ ...itemAt(0), reports: ['secret-path.json'] }]))).not.toContain('secret-path')
  })
})
