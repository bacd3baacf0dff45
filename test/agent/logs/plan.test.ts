import { describe, expect, it } from 'vitest'
import { newPosition, type PlanInput, planFiles } from '../../../agent/logs/plan.ts'
import type { FoundFile } from '../../../agent/logs/scan.ts'

const NOW = 1_795_400_000_000
const HOUR = 3_600_000
const SOURCE = { path: '/л/*.log', passedToMs: 0 }

const file = (name: string, identity: string, more: Partial<FoundFile> = {}): FoundFile => ({
  ...{ path: `/л/${name}`, identity, sizeBytes: 500, mtimeMs: NOW - HOUR, birthtimeMs: NOW - 2 * HOUR },
  ...more,
})
const knownAs = (id: number, found: FoundFile, offset = 300) => ({ ...newPosition('/л/*.log', found, offset, NOW), id })

const rest = { from: 'end' as const, elsewhere: [], taken: new Set<string>(), maxFiles: 400, nowMs: NOW }
const plan = (more: Partial<PlanInput>) =>
  planFiles({ path: '/л/*.log', known: [], found: [], source: SOURCE, ...rest, ...more })
const follow = (more: Partial<PlanInput>) =>
  plan(more).follow.map(({ file: { path }, position, sameOnlyByHead }) => [
    path,
    position.id,
    position.offset,
    sameOnlyByHead,
  ])

describe('planFiles', () => {
  const a = file('a.log', '1:1')
  const b = file('b.log', '1:2')

  it.each([
    ['at its end, the first time', undefined, 'end', 500],
    ['at its start, the first time, when that is wished', undefined, 'start', 0],
    ['at its start, later on', SOURCE, 'end', 0],
  ] as const)('begins a file %s', (_, source, from, offset) => {
    expect(follow({ found: [a], source, from })).toEqual([['/л/a.log', 0, offset, false]])
  })

  it('begins between two bytes of a wide character at neither', () => {
    expect(follow({ found: [{ ...a, sizeBytes: 501 }], source: undefined })).toEqual([['/л/a.log', 0, 500, false]])
  })

  it('knows a file by its number under another name', () => {
    const found = [{ ...a, path: '/л/a-1.log' }, file('a.log', '1:9')]
    expect(follow({ known: [knownAs(7, a)], found }).toSorted()).toEqual([
      ['/л/a-1.log', 7, 300, false],
      ['/л/a.log', 0, 0, false],
    ])
  })

  it('asks the first bytes when the number changed under the name', () => {
    expect(follow({ known: [knownAs(7, a)], found: [file('a.log', '2:1')] })).toEqual([['/л/a.log', 7, 300, true]])
  })

  it('goes by the name where there are no numbers', () => {
    expect(follow({ known: [knownAs(7, { ...a, identity: '' })], found: [{ ...a, identity: '' }] })).toEqual([
      ['/л/a.log', 7, 300, false],
    ])
  })

  it('follows a file of two names once, by the name that it has already', () => {
    const link = { ...a, path: '/л/текущий.log' }
    expect(follow({ found: [a, link] })).toHaveLength(1)
    expect(follow({ known: [knownAs(7, link)], found: [a, link] })).toEqual([['/л/текущий.log', 7, 300, false]])
  })

  it('goes on in a file that another path had', () => {
    const elsewhere = [{ ...knownAs(7, a), source: '/л/a.log' }]
    for (const source of [SOURCE, undefined])
      expect(follow({ elsewhere, found: [a], source })).toEqual([['/л/a.log', 0, 300, false]])
  })

  it('cedes a file to a path that was named before', () => {
    const taken = new Set(['1:1'])
    const ceding = plan({ known: [knownAs(7, a), knownAs(8, b)], found: [a, b], taken })
    expect(ceding.follow.map(each => each.position.id)).toEqual([8])
    expect(ceding).toMatchObject({ ceded: [7], lost: [] })
  })

  it('tells what is lost', () => {
    expect(plan({ known: [knownAs(7, a), knownAs(8, b)], found: [b] }).lost.map(each => each.id)).toEqual([7])
  })

  it('follows those written last, and takes the others for old ones', () => {
    const found = [1, 2, 3, 4].map(index => file(`${index}.log`, `1:${index}`, { mtimeMs: NOW - index * HOUR }))
    const first = plan({ found, source: undefined, maxFiles: 2 })
    expect(first.follow.map(each => each.file.path)).toEqual(['/л/1.log', '/л/2.log'])
    expect(first.source.passedToMs).toBe(NOW - 3 * HOUR)
    expect(first.leftOut).toBe(0)
    // With more room later the old ones stay old, and one that is written again goes on at its end.
    const written = found.map(each => (each.path === '/л/4.log' ? { ...each, mtimeMs: NOW, birthtimeMs: 1 } : each))
    const later = plan({ found: written, source: first.source, known: [], maxFiles: 400 })
    expect(later.follow.map(({ file: { path }, position }) => [path, position.offset])).toEqual([
      ['/л/4.log', 500],
      ['/л/1.log', 0],
      ['/л/2.log', 0],
    ])
  })

  it('counts files that are written and cannot be followed', () => {
    const found = [a, b].map(each => ({ ...each, mtimeMs: NOW - 1_000 }))
    expect(plan({ found, maxFiles: 1 }).leftOut).toBe(1)
  })
})
