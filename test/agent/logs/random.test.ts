import { appendFileSync, existsSync, renameSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { LogProgress } from '../../../agent/logs/position.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { entriesOf, Following } from './following.ts'

const NAMES = ['а.log', 'б.log', 'в.log']
const RATE = { maxLinesPerMinute: 6_000, from: 'start' } as const

/** Sixty random steps of writers, rotations, kills and full spools, then calm: the numbers of the lines that came. */
async function live(seed: number): Promise<{ readonly written: number; readonly came: readonly number[] }> {
  const random = seededRandom(seed)
  const below = (count: number) => Math.floor(random() * count)
  const following = new Following()
  const at = (name: string) => following.at(name)
  const isPattern = seed % 2 === 0
  following.config.logFiles = isPattern
    ? [{ path: at('*.log*'), ...RATE }]
    : NAMES.map(name => ({ path: at(name), ...RATE }))
  const came: number[] = []
  /** Files that a path without wildcards has seen under its name: only those are found again under another. */
  let seen = new Set<string>()
  let spooled: LogProgress | undefined
  let written = 0
  let rotations = 0

  const write = (name: string, lines: number) => {
    const texts = Array.from({ length: lines }, () => `строка ${written++} ${random()} ${random()}\n`)
    appendFileSync(at(name), texts.join(''))
  }
  const rotate = (name: string) => {
    if (!existsSync(at(name)) || !(isPattern || seen.has(name))) return
    renameSync(at(name), at(`${name}.${++rotations}`))
    seen.delete(name)
  }
  const look = async (ending: 'well' | 'killed' | 'refused') => {
    const parcels = await following.look()
    const stored = ending === 'refused' ? parcels.slice(0, below(parcels.length + 1)) : parcels
    for (const { item } of stored) spooled = item.logs ?? spooled
    came.push(...entriesOf(stored).map(({ message }) => Number(message.split(' ')[1])))
    if (ending === 'killed') return following.start(spooled)
    following.follower.commit(stored)
    if (ending === 'well' && following.room) seen = new Set(NAMES.filter(name => existsSync(at(name))))
  }

  try {
    for (let step = 0; step < 60; step++) {
      const name = NAMES[below(3)] ?? ''
      const choice = below(20)
      if (choice < 10) write(name, choice === 0 ? 400 : below(6))
      else if (choice < 12) rotate(name)
      else if (choice < 13) following.room = !following.room
      else await look(choice < 15 ? 'killed' : choice < 17 ? 'refused' : 'well')
    }
    following.room = true
    for (let calm = 0; calm < 60 && came.length < written; calm++) await look('well')
    await look('well')
    return { written, came }
  } finally {
    following.remove()
  }
}

it.each([1, 2, 3, 4, 5, 6, 7, 8])('every line comes once, whatever happens (%i)', async seed => {
  const { written, came } = await live(seed)
  expect(came.toSorted((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, index) => index))
})
