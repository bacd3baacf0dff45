import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAside } from '../../../agent/spool/aside.ts'
import { diskFiles } from '../../../agent/spool/files.ts'
import { addLoss, NO_LOSS } from '../../../agent/spool/item.ts'
import { itemAt } from '../support/spool.ts'

let directory: string
const open = () => openAside(diskFiles, directory)
const batch = (seq: number) => ({
  id: `batch${String(seq).padStart(11, '0')}`,
  seq,
  items: [itemAt(seq), itemAt(seq + 1)],
})

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'onec-aside-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('aside', () => {
  it('offers a batch only to another release of the relay, the oldest first', () => {
    const aside = open()
    aside.put(batch(2), 'label_invalid: x', '1.0.0')
    aside.put(batch(1), 'label_invalid: x', '1.0.0')
    expect(aside.due('1.0.0')).toBeUndefined()
    expect(aside.due(null)).toBeUndefined()
    expect(open().due('1.0.1')).toEqual(batch(1))
    aside.put(batch(1), 'label_invalid: x', '1.0.1')
    expect(aside.due('1.0.1')).toEqual(batch(2))
    aside.settle(batch(2).id)
    expect(open().count).toBe(1)
  })

  it('goes on when a file cannot be removed', () => {
    const aside = open()
    aside.put(batch(1), 'why', '1.0.0')
    const [name = ''] = readdirSync(directory)
    rmSync(path.join(directory, name))
    mkdirSync(path.join(directory, name))
    aside.settle(batch(1).id)
    expect(aside.count).toBe(0)
    expect(aside.due('1.0.1')).toBeUndefined()
  })

  it('keeps 64, gives up the oldest and says how many snapshots that were', () => {
    const aside = open()
    const lost = Array.from({ length: 66 }, (_, seq) => aside.put(batch(seq), 'why', null))
    expect(lost.reduce(addLoss, NO_LOSS)).toEqual({ snapshots: 4, entries: 0 })
    expect(aside.count).toBe(64)
    expect(readdirSync(directory)).toHaveLength(64)
    expect(aside.due('1')).toEqual(batch(2))
  })

  it('passes over a damaged file', () => {
    open().put(batch(1), 'why', null)
    writeFileSync(path.join(directory, '000000000000_x.json'), '{"relayV')
    expect(open().due('1')).toEqual(batch(1))
    expect(open().count).toBe(1)
  })

  it('counts a batch that the disk refuses as lost', () => {
    const aside = open()
    rmSync(directory, { recursive: true })
    expect(aside.put(batch(1), 'why', null)).toEqual({ snapshots: 2, entries: 0 })
    expect(aside.count).toBe(0)
  })
})
